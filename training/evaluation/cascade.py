"""Chooses when a cascade of two classifiers asks the large one: accuracy against cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from training.data.fashion_mnist import Split
from training.errors import ModelRepositoryError
from training.evaluation.evaluate import measure
from training.evaluation.figure import COLOURS, MUTED, new_figure, show_grid
from training.exporting.repository import latest_version
from training.zoo import find_network

THRESHOLDS = 201
DECIMALS = 4
"""Of a threshold, as it is written into a setting."""


@dataclass(frozen=True)
class Answers:
    """What both classifiers of a cascade say of the same images.

    Attributes:
        small: Probabilities, [N, K].
        large: Probabilities, [N, K].
        labels: The right classes, [N].
        small_parameters: Numbers in the small one's weights.
        large_parameters: Numbers in the large one's weights.
    """

    small: npt.NDArray[np.floating]
    large: npt.NDArray[np.floating]
    labels: npt.NDArray[np.integer]
    small_parameters: int
    large_parameters: int


@dataclass(frozen=True)
class CascadePoint:
    """A cascade at one threshold.

    Attributes:
        threshold: The small one's top probability from which on its answer stands.
        escalated: The share of images that the large one sees.
        accuracy: The share of right answers.
        cost: The parameters that an image meets on average, as a share of the large one's.
    """

    threshold: float
    escalated: float
    accuracy: float
    cost: float


def run_cascade(answers: Answers, threshold: float) -> CascadePoint:
    """Answers as the gateway does: by the large one where the small one is below the threshold."""
    unsure = ~(answers.small.max(axis=1) >= threshold)
    right = np.where(
        unsure,
        answers.large.argmax(axis=1) == answers.labels,
        answers.small.argmax(axis=1) == answers.labels,
    )
    escalated = float(unsure.mean())
    return CascadePoint(
        threshold=threshold,
        escalated=escalated,
        accuracy=float(right.mean()),
        cost=answers.small_parameters / answers.large_parameters + escalated,
    )


def cascade_curve(answers: Answers) -> list[CascadePoint]:
    """Runs a cascade at thresholds that let through ever more images, from none to all.

    Returns:
        The points by rising threshold.
    """
    sure = answers.small.max(axis=1).astype(np.float64)
    quantiles = np.quantile(sure, np.linspace(0, 1, THRESHOLDS))
    thresholds = np.unique(np.round(np.concatenate([[0.0], quantiles, [1.0]]), DECIMALS))
    return [run_cascade(answers, float(threshold)) for threshold in thresholds]


def choose_point(curve: Sequence[CascadePoint], tolerance: float) -> CascadePoint:
    """Returns the cheapest point that is hardly worse than the best one.

    Args:
        curve: At least one point.
        tolerance: How much accuracy may be given away, as a share.
    """
    wanted = max(point.accuracy for point in curve) - tolerance
    return min((point for point in curve if point.accuracy >= wanted), key=lambda each: each.cost)


def collect_answers(models: Path, small: str, large: str, examples: Split) -> Answers:
    """Runs the latest versions of two classifiers.

    Args:
        models: The repository.
        small: The name of the classifier that sees every image.
        large: The name of the other one.
        examples: What to run them on.

    Raises:
        ModelRepositoryError: One of them is not there, cannot be loaded, or is no classifier.
    """
    first, second = (
        measure(latest_version(models, name), find_network(name).objective, examples)
        for name in (small, large)
    )
    if first.probabilities is None or second.probabilities is None:
        raise ModelRepositoryError(
            f"{small} and {large} must both answer probabilities: name two classifiers"
        )
    return Answers(
        small=first.probabilities,
        large=second.probabilities,
        labels=examples.labels,
        small_parameters=first.parameters,
        large_parameters=second.parameters,
    )


def draw_cascade(answers: Answers, chosen: CascadePoint, small: str, large: str) -> Figure:
    """Draws accuracy against the share of images that the large classifier sees.

    Args:
        answers: What both say of the same images.
        chosen: One point of the curve.
        small: The name of the classifier that sees every image.
        large: The name of the other one.
    """
    curve = cascade_curve(answers)
    figure, axes = new_figure(8, 5)
    (panel,) = axes[0]
    panel.plot(
        [point.escalated for point in curve],
        [point.accuracy for point in curve],
        color=COLOURS[0],
        label="the cascade",
    )
    label = f"chosen: below {chosen.threshold:g}"
    panel.plot(chosen.escalated, chosen.accuracy, "o", color=COLOURS[1], label=label)
    for name, probabilities in ((small, answers.small), (large, answers.large)):
        alone = float(np.mean(probabilities.argmax(axis=1) == answers.labels))
        panel.axhline(alone, color=MUTED, linewidth=0.8, linestyle=":")
        place = {"xytext": (0, 4), "textcoords": "offset points", "ha": "right"}
        panel.annotate(f"{name} alone", (1, alone), color=MUTED, fontsize=9, **place)
    panel.set(
        xlim=(0, 1),
        xlabel=f"images that {large} sees, while {small} sees them all",
        ylabel="accuracy on the validation set",
    )
    for axis, decimals in ((panel.xaxis, 0), (panel.yaxis, 1)):
        axis.set_major_formatter(PercentFormatter(1, decimals=decimals))
    show_grid(panel)
    panel.legend(loc="center right", frameon=False)
    return figure
