"""The section on saliency maps, by four methods."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from training.data.fashion_mnist import CLASS_NAMES, Split
from training.evaluation.figure import hide_frame, new_figure, show_grey
from training.report.report_data import ReportData
from training.report.reported_model import ReportedModel, as_inputs

METHODS = {
    "saliency_gradient": "gradient",
    "saliency_smoothgrad": "SmoothGrad",
    "saliency_integrated_gradients": "integrated\ngradients",
    "saliency_gradcam": "Grad-CAM",
}

OUTLINE = 50  # Grey level of the contour line around the clothes.

Maps = npt.NDArray[np.float32]


def saliency_section(data: ReportData) -> str | None:
    """Returns the saliency maps of the most accurate convolutional model."""
    able = data.with_signatures(*METHODS)
    models = [model for model in data.classifiers() if model in able]
    if not models:
        return None
    model = models[0]
    examples, captions = _choose(model, data.test)
    top = np.full(len(examples), -1, np.int32)
    maps = {
        title: model.run(method, "attribution", images=as_inputs(examples.images), class_index=top)
        for method, title in METHODS.items()
    }
    figure = draw_saliency(examples.images, captions, maps)
    figure_link = data.add_figure("saliency", figure, f"Saliency maps of {model.name}")
    return f"""\
## Saliency

{figure_link}

Red pixels raise the score of the class that `{model.name}` predicts, blue pixels lower it; Grad-CAM
shows only what raises it. The first test images of some classes, and two that are misclassified,
each with the predicted class and its probability.
"""


def draw_saliency(
    images: npt.NDArray[np.generic], captions: list[str], maps: Mapping[str, Maps]
) -> Figure:
    """Draws one column per image and one row per method.

    Args:
        images: Grey levels, 0 to 255, [N, H, W].
        captions: Captions of the images.
        maps: Signed attributions, [N, H, W], by the title of the method.
    """
    figure, panels = new_figure(
        0.9 + 1.35 * len(images), 0.6 + 1.35 * (1 + len(maps)), 1 + len(maps), len(images)
    )
    for panel, image, caption in zip(panels[0], images, captions, strict=True):
        show_grey(panel, image)
        panel.set_title(caption, fontsize=9)
    for row, (title, attributions) in zip(panels[1:], maps.items(), strict=True):
        for panel, image, attribution in zip(row, images, attributions, strict=True):
            _show_map(panel, image, attribution)
        row[0].set_ylabel(title)
    return figure


def _show_map(panel: Axes, image: npt.NDArray[np.generic], attribution: Maps) -> None:
    # Otherwise a few extreme pixels would make all others invisible.
    limit = max(float(np.quantile(np.abs(attribution), 0.99)), 1e-12)
    panel.imshow(attribution, cmap="RdBu_r", vmin=-limit, vmax=limit)
    panel.contour(image, [OUTLINE], colors="black", linewidths=0.5, alpha=0.6)
    hide_frame(panel)


def _choose(model: ReportedModel, test: Split) -> tuple[Split, list[str]]:
    """Returns correctly classified images of some classes and two others, with captions."""
    predicted = model.probabilities.argmax(axis=1)
    correct = predicted == test.labels
    first = [np.flatnonzero(correct & (test.labels == label)) for label in (0, 3, 5, 7, 8, 9)]
    # The first and the last, which are likely to be different errors.
    wrong = np.flatnonzero(~correct)[[0, -1]] if not correct.all() else np.array([], int)
    chosen = np.array([*(found[0] for found in first if len(found)), *wrong], int)
    confidence = model.probabilities[chosen].max(axis=1)
    captions = [
        f"{CLASS_NAMES[predicted[index]]}\n{probability:.0%}"
        + ("" if correct[index] else f"\n(not {CLASS_NAMES[test.labels[index]]})")
        for index, probability in zip(chosen, confidence, strict=True)
    ]
    return test.take(chosen), captions
