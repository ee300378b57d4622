"""The section on feature visualization: images that maximize the activations of channels."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from training.data.fashion_mnist import CLASS_NAMES
from training.evaluation.figure import hide_frame, new_figure, show_grey, tile
from training.report.report_data import ReportData
from training.report.reported_model import ReportedModel

PREFIX = "feature_visualization_"
LOGITS = f"{PREFIX}logits"
CHANNELS = 30
COLUMNS = 10

Images = npt.NDArray[np.float32]


def feature_visualization_section(data: ReportData) -> str | None:
    """Returns visualizations of the classes and one layer of the most accurate CNN."""
    able = data.with_signatures(LOGITS, "activations")
    models = [model for model in data.classifiers() if model in able]
    if not models:
        return None
    model = models[0]
    layer, channels = _last_layer(model)
    figure = draw_features(
        _visualize(model, LOGITS, len(CLASS_NAMES)),
        _visualize(model, f"{PREFIX}{layer}", channels),
        layer,
    )
    figure_link = data.add_figure(
        "feature_visualization",
        figure,
        f"Images that maximize the activations of channels of {model.name}",
    )
    return f"""\
## Feature visualization

{figure_link}

Images that maximize the activation of one channel of `{model.name}`, made from noise by gradient
ascent ([Olah et al. 2017](https://distill.pub/2017/feature-visualization)): the logits of the ten
classes, and channels of `{layer}`, the last feature map.
"""


def draw_features(classes: Images, channels: Images, layer: str) -> Figure:
    """Draws the classes in one row and the channels of a layer below.

    Args:
        classes: One image per class, [10, H, W].
        channels: One image per channel, [N, H, W].
        layer: Name of the layer.
    """
    below = -(-len(channels) // COLUMNS)
    figure, panels = new_figure(11, 0.5 + 1.08 * (1 + below), 2, 1, height_ratios=[1, below])
    (top,), (bottom,) = panels
    show_grey(top, tile(classes, COLUMNS))
    step = classes.shape[-1] + 2
    top.set_xticks(np.arange(COLUMNS) * step + step / 2 - 2, CLASS_NAMES, fontsize=9)
    top.tick_params(length=0)
    top.set_ylabel("classes")
    show_grey(bottom, tile(channels, COLUMNS))
    hide_frame(bottom)
    bottom.set_ylabel(f"channels of {layer}")
    return figure


def _visualize(model: ReportedModel, signature_name: str, count: int) -> Images:
    numbers = np.arange(count, dtype=np.int32)
    images: Images = model.run(
        signature_name, "images", channel=numbers, seed=np.zeros_like(numbers)
    )
    return images[..., 0]


def _last_layer(model: ReportedModel) -> tuple[str, int]:
    """Returns the last visualized layer before the logits, and its number of channels to show."""
    names = {name.removeprefix(PREFIX) for name in model.signatures if name.startswith(PREFIX)}
    in_order = [layer.name for layer in model.network.build().layers if layer.name in names]
    outputs = model.saved_model.signatures["activations"].structured_outputs
    return in_order[-2], min(CHANNELS, outputs[in_order[-2]].shape[-1])
