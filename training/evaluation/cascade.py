"""Chooses the threshold of a cascade of two classifiers: accuracy against cost."""

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
DECIMALS = 4  # Of a threshold in a setting.


@dataclass(frozen=True)
class Predictions:
    """Predictions of both classifiers of a cascade for the same images.

    Attributes:
        small: Probabilities of the small classifier, [N, K].
        large: Probabilities of the large classifier, [N, K].
        labels: True classes, [N].
        small_parameters: Number of parameters of the small classifier.
        large_parameters: Number of parameters of the large classifier.
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
        threshold: Lowest top probability with which the small classifier's prediction is used.
        escalated: Share of images that the large classifier sees.
        accuracy: Share of correct predictions.
        cost: Mean number of parameters used per image, as a share of the large classifier's.
    """

    threshold: float
    escalated: float
    accuracy: float
    cost: float


def run_cascade(predictions: Predictions, threshold: float) -> CascadePoint:
    """Predicts as the gateway does: with the large classifier below the threshold."""
    unsure = ~(predictions.small.max(axis=1) >= threshold)
    correct = np.where(
        unsure,
        predictions.large.argmax(axis=1) == predictions.labels,
        predictions.small.argmax(axis=1) == predictions.labels,
    )
    escalated = float(unsure.mean())
    return CascadePoint(
        threshold=threshold,
        escalated=escalated,
        accuracy=float(correct.mean()),
        cost=predictions.small_parameters / predictions.large_parameters + escalated,
    )


def cascade_curve(predictions: Predictions) -> list[CascadePoint]:
    """Runs a cascade at rising thresholds, at which none to all of the images are escalated.

    Returns:
        The points in the order of their thresholds.
    """
    confidence = predictions.small.max(axis=1).astype(np.float64)
    quantiles = np.quantile(confidence, np.linspace(0, 1, THRESHOLDS))
    thresholds = np.unique(np.round(np.concatenate([[0.0], quantiles, [1.0]]), DECIMALS))
    return [run_cascade(predictions, float(threshold)) for threshold in thresholds]


def choose_point(curve: Sequence[CascadePoint], tolerance: float) -> CascadePoint:
    """Returns the cheapest point whose accuracy is within a tolerance of the best.

    Args:
        curve: At least one point.
        tolerance: Accuracy that may be lost, as a share.
    """
    required = max(point.accuracy for point in curve) - tolerance
    return min((point for point in curve if point.accuracy >= required), key=lambda each: each.cost)


def collect_predictions(models: Path, small: str, large: str, examples: Split) -> Predictions:
    """Runs the latest versions of two classifiers.

    Args:
        models: The model repository.
        small: Name of the classifier that sees every image.
        large: Name of the other classifier.
        examples: The images and their labels.

    Raises:
        ModelRepositoryError: One of them is missing, cannot be loaded, or is no classifier.
    """
    first, second = (
        measure(latest_version(models, name), find_network(name).objective, examples)
        for name in (small, large)
    )
    if first.probabilities is None or second.probabilities is None:
        raise ModelRepositoryError(
            f"Received {small} and {large}; expected two classifiers, which return probabilities. "
            f"Name two classifiers."
        )
    return Predictions(
        small=first.probabilities,
        large=second.probabilities,
        labels=examples.labels,
        small_parameters=first.parameters,
        large_parameters=second.parameters,
    )


def draw_cascade(predictions: Predictions, chosen: CascadePoint, small: str, large: str) -> Figure:
    """Draws accuracy against the share of images that the large classifier sees.

    Args:
        predictions: Predictions of both classifiers.
        chosen: The chosen point of the curve.
        small: Name of the classifier that sees every image.
        large: Name of the other classifier.
    """
    curve = cascade_curve(predictions)
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
    for name, probabilities in ((small, predictions.small), (large, predictions.large)):
        alone = float(np.mean(probabilities.argmax(axis=1) == predictions.labels))
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
