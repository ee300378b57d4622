"""The section and the cards of networks with ported weights, from the record of each version."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from matplotlib.figure import Figure

from training.evaluation.figure import hide_frame, new_figure, save_figure
from training.evaluation.latency import measure_latencies
from training.exporting.export import CARD_PATH
from training.exporting.repository import latest_version, versions
from training.exporting.restore import load_saved_model
from training.porting.photographs import PHOTOGRAPHS, as_images, read_photographs
from training.porting.port import Port, read_port
from training.report.markdown import markdown_table
from training.report.sections.saliency import METHODS
from training.zoo.ported import PORTED

_CARD = """\
# {name}

{summary}. This card is of version {version}.

The weights are those of {package} ([source]({source}), {licence}),
ported by `python -m training port {name}`. Batch normalization is part of the
convolutions. The weights are stored as float16 and widened before use.

## Measured

{measured}
The accuracy on ImageNet was not measured: its images are not available here. What is measured is
the agreement with the original, for {images} views of the photographs in
[samples](../../../../services/gateway/static/samples/photographs/README.md): whole, centre and
quarters, and their mirrors.

## Limits

- It names one of ImageNet's 1,000 classes for every photograph, even if none fits. ImageNet has
  many breeds of dogs and no class for people.
- Images are resized to {height}×{width} pixels without regard to their proportions.
- Its probabilities are not calibrated for photographs other than ImageNet's.
"""

_SECTION = """\
## Photographs

{table}
The network was not trained here; its weights are ported from another library. Its accuracy cannot
be measured without ImageNet's images. The table says how far the exported version agrees with the
original: the share of images for which both name the same class, the share of the original's five
top classes that are among the version's, and the largest difference of a logit. The times are for
`serving_default`.

{figure}

The class that `{name}` names for a photograph of a cat, `{label}`, explained by four
methods. Red pixels raise the score of the class, blue pixels lower it; each square is the mean of
16 pixels.
"""

Array = npt.NDArray[Any]


def write_ported_card(version: Path) -> None:
    """Writes the card of a version into it.

    Raises:
        ModelRepositoryError: The version was not written by `port`.
    """
    record = read_port(version)
    height, width, _ = PORTED[record.network].build().input_shape[1:]
    content = _CARD.format(
        name=record.network,
        summary=PORTED[record.network].summary,
        version=version.name,
        package=record.package,
        source=record.source,
        licence=record.licence,
        measured=markdown_table(["measure", "value:"], _measured(record).items()),
        images=record.agreement.images,
        height=height,
        width=width,
    )
    (version / CARD_PATH).write_text(content)


def ported_section(folder: Path) -> str | None:
    """Returns the section on ported networks, and draws its figure; None if there are none.

    Args:
        folder: The model repository.
    """
    found = [name for name in PORTED if versions(folder, name)]
    if not found:
        return None
    loaded = {name: load_saved_model(latest_version(folder, name)) for name in found}
    name = found[0]
    cat = as_images([read_photographs(PHOTOGRAPHS)["cat"]], PORTED[name].build().input_shape[1])
    rows = [_row(latest_version(folder, each), loaded[each], cat) for each in found]
    label, figure = _explain(loaded[name].signatures, cat)
    path = save_figure(figure, folder / "figures" / "photograph_saliency.png")
    link = f"![Saliency maps of {name}]({path.relative_to(folder)})"
    table = markdown_table([*rows[0]], [list(row.values()) for row in rows])
    return _SECTION.format(table=table, figure=link, name=name, label=label)


def _row(version: Path, saved_model: Any, images: Array) -> dict[str, str]:
    record = read_port(version)
    predict = partial(_predict, saved_model.signatures["serving_default"])
    [latency] = measure_latencies([predict], images, rounds=5)
    size = sum(path.stat().st_size for path in version.rglob("*") if path.is_file())
    return {
        "model": f"`{record.network}`",
        "version:": version.name,
        "network": PORTED[record.network].summary,
        **{f"{measure}:": value for measure, value in _measured(record).items()},
        "size:": f"{size / 1e6:.2f} MB",
        "1 image:": f"{latency.single:.0f} ms",
        "32 images:": f"{latency.batch:.0f} ms",
        "command": f"`python -m training port {record.network}`",
    }


def _measured(record: Port) -> dict[str, str]:
    return {
        "parameters": f"{record.parameters:,}",
        "same top class": f"{record.agreement.top1:.1%}",
        "same five top classes": f"{record.agreement.top5:.1%}",
        "largest difference of a logit": f"{record.agreement.difference:.2g}",
        "difference before rounding to float16": f"{record.difference:.1g}",
    }


def _coarse(attribution: Array, side: int = 4) -> Array:
    """Returns the means of squares of pixels: at this size, single pixels look like noise."""
    height, width = attribution.shape
    squares: Array = attribution.reshape(height // side, side, width // side, side)
    means: Array = squares.mean(axis=(1, 3))
    return means


def _predict(signature: Any, images: Array) -> Array:
    probabilities: Array = signature(images=tf.constant(images))["probabilities"].numpy()
    return probabilities


def _explain(signatures: Mapping[str, Any], image: Array) -> tuple[str, Figure]:
    """Returns the label of an image, and its saliency maps by all methods."""
    label = signatures["serving_default"](images=tf.constant(image))["label"].numpy()[0].decode()
    request = {"images": tf.constant(image), "class_index": tf.constant([-1])}
    figure, [panels] = new_figure(11, 2.5, 1, 1 + len(METHODS))
    panels[0].imshow(image[0] / 255)
    panels[0].set_title(label, fontsize=9)
    for panel, (method, title) in zip(panels[1:], METHODS.items(), strict=True):
        attribution = _coarse(signatures[method](**request)["attribution"].numpy()[0])
        limit = max(float(np.quantile(np.abs(attribution), 0.99)), 1e-12)
        panel.imshow(attribution, cmap="RdBu_r", vmin=-limit, vmax=limit)
        panel.set_title(title.replace("\n", " "), fontsize=9)
    for panel in panels:
        hide_frame(panel)
    return label, figure
