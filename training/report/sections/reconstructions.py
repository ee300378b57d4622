"""The section on reconstructions by autoencoders, JPEG and WebP."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from training.data.fashion_mnist import CLASS_NAMES
from training.evaluation.figure import new_figure, show_grey, tile
from training.evaluation.rate_distortion import psnr, restore_within
from training.report.report_data import ReportData
from training.report.reported_model import ReportedModel, as_inputs

FORMATS = {"JPEG": "JPEG", "WEBP": "WebP"}

Images = npt.NDArray[np.generic]


@dataclass(frozen=True)
class Row:
    """One row of the figure.

    Attributes:
        title: Name of the model or format.
        images: Grey levels, 0 to 255, [N, H, W].
    """

    title: str
    images: Images


def reconstructions_section(data: ReportData) -> str | None:
    """Returns images with their reconstructions by each autoencoder, and by JPEG and WebP."""
    models = data.with_signatures("compress", "decompress")
    if not models:
        return None
    labels = data.test.labels
    first = [int(np.argmax(labels == label)) for label in range(len(CLASS_NAMES))]
    originals = data.test.images[first].astype(np.uint8)
    rows = compare(models, originals)
    figure_link = data.add_figure(
        "reconstructions", draw_rows(originals, rows), "Images and their reconstructions"
    )
    return f"""\
## Reconstructions

{figure_link}

The first test image of each class and its reconstructions, with the bytes per image and the peak
signal-to-noise ratio over these ten. JPEG and WebP have the best quality whose files, without
headers, are no larger than the code of the codec above them. A missing format has no files that
small.
"""


def compare(models: Sequence[ReportedModel], originals: npt.NDArray[np.uint8]) -> list[Row]:
    """Reconstructs images with each model, and with JPEG and WebP at the size of each codec.

    Args:
        models: Models with the signatures `compress` and `decompress`.
        originals: The images, uint8 [N, H, W].

    Returns:
        The rows in order of size; a model comes before the formats of its size.
    """
    codes = {
        model.name: model.run("compress", "code", images=as_inputs(originals)) for model in models
    }
    rows = []
    for model in sorted(models, key=lambda model: (codes[model.name][0].nbytes, model.name)):
        code = codes[model.name]
        restored = model.run("decompress", "images", code=code)[..., 0]
        kind = "" if code.dtype == np.uint8 else f" ({code.shape[1]} floats)"
        rows.append(_row(f"{model.name}\n{code[0].nbytes} bytes{kind}", originals, restored))
        if code.dtype == np.uint8:
            rows += _formats_within(code[0].nbytes, originals)
    return rows


def draw_rows(originals: Images, rows: Sequence[Row]) -> Figure:
    """Draws the originals and the rows below them."""
    count = 1 + len(rows)
    figure, panels = new_figure(3.2 + 0.86 * len(originals), 0.2 + 0.86 * count, count)
    for panel, row in zip(panels.flat, [Row("original", originals), *rows], strict=True):
        show_grey(panel, tile(row.images, len(row.images)))
        panel.set_anchor("E")  # Leaves spare room to the titles.
        panel.set_ylabel(row.title, rotation=0, ha="right", va="center")
    return figure


def _formats_within(size: int, originals: npt.NDArray[np.uint8]) -> list[Row]:
    rows = []
    for file_format, title in FORMATS.items():
        found = restore_within(originals, file_format, size)
        if found is not None:
            point, restored = found
            bytes_used = f"{point.payload_bytes:.0f} bytes ({point.file_bytes:.0f} with headers)"
            rows.append(_row(f"{title}\n{bytes_used}", originals, restored))
    return rows


def _row(title: str, originals: Images, restored: Images) -> Row:
    return Row(f"{title}, {psnr(originals, restored):.1f} dB", restored)
