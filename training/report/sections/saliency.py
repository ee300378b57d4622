"""The section on saliency: what the classifier looks at, by four methods."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from training.data.fashion_mnist import CLASS_NAMES, Split
from training.evaluation.figure import hide_frame, new_figure, show_grey
from training.report.reported_model import ReportedModel, as_inputs
from training.report.study import Study

METHODS = {
    "saliency_gradient": "gradient",
    "saliency_smoothgrad": "SmoothGrad",
    "saliency_integrated_gradients": "integrated\ngradients",
    "saliency_gradcam": "Grad-CAM",
}

OUTLINE = 50  # The grey level that is taken for the edge of the clothes.

Maps = npt.NDArray[np.float32]


def saliency_section(study: Study) -> str | None:
    """Shows the saliency maps of the most accurate convolutional model."""
    able = study.with_signatures(*METHODS)
    models = [model for model in study.classifiers() if model in able]
    if not models:
        return None
    model = models[0]
    examples, captions = _choose(model, study.test)
    top = np.full(len(examples), -1, np.int32)
    maps = {
        title: model.run(method, "attribution", images=as_inputs(examples.images), class_index=top)
        for method, title in METHODS.items()
    }
    figure = draw_saliency(examples.images, captions, maps)
    picture = study.add_picture("saliency", figure, f"Saliency maps of {model.name}")
    return f"""\
## What it looks at

{picture}

Red is what raises the score of the class that `{model.name}` names, blue what lowers it; Grad-CAM
shows only what raises it. The first test images of some classes, and two that the model gets wrong;
above each the class that it names and how sure it is.
"""


def draw_saliency(
    images: npt.NDArray[np.generic], captions: list[str], maps: Mapping[str, Maps]
) -> Figure:
    """Draws a column an image and a row a method.

    Args:
        images: Grey levels, 0 to 255, [N, H, W].
        captions: What stands above each image.
        maps: Signed attributions, [N, H, W], by the method's title.
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
    # A few pixels would else outshine all others.
    reach = max(float(np.quantile(np.abs(attribution), 0.99)), 1e-12)
    panel.imshow(attribution, cmap="RdBu_r", vmin=-reach, vmax=reach)
    panel.contour(image, [OUTLINE], colors="black", linewidths=0.5, alpha=0.6)
    hide_frame(panel)


def _choose(model: ReportedModel, test: Split) -> tuple[Split, list[str]]:
    """Returns the first right image of some classes and two wrong ones, with captions."""
    named = model.probabilities.argmax(axis=1)
    right = named == test.labels
    first = [np.flatnonzero(right & (test.labels == label)) for label in (0, 3, 5, 7, 8, 9)]
    # Taken from afar, so that both show another mistake.
    wrong = np.flatnonzero(~right)[[0, -1]] if not right.all() else np.array([], int)
    chosen = np.array([*(found[0] for found in first if len(found)), *wrong], int)
    sure = model.probabilities[chosen].max(axis=1)
    captions = [
        f"{CLASS_NAMES[named[index]]}\n{probability:.0%}"
        + ("" if right[index] else f"\n(not {CLASS_NAMES[test.labels[index]]})")
        for index, probability in zip(chosen, sure, strict=True)
    ]
    return test.take(chosen), captions
