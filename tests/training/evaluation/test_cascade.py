from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from training.data.fashion_mnist import Split
from training.errors import ModelRepositoryError
from training.evaluation.cascade import (
    CascadePoint,
    Predictions,
    cascade_curve,
    choose_point,
    collect_predictions,
    draw_cascade,
    run_cascade,
)
from training.evaluation.figure import save_figure

LABELS = np.array([0, 1, 0, 1])
# Sure and right, sure and wrong, unsure and wrong, unsure and right.
SMALL = np.array([[0.9, 0.1], [0.8, 0.2], [0.4, 0.6], [0.45, 0.55]])
LARGE = np.array([[0.7, 0.3], [0.3, 0.7], [0.7, 0.3], [0.7, 0.3]])
PREDICTIONS = Predictions(SMALL, LARGE, LABELS, small_parameters=10, large_parameters=100)


@pytest.mark.parametrize(
    ("threshold", "escalated", "accuracy"),
    [
        (0.0, 0.0, 0.5),
        (0.55, 0.0, 0.5),
        (0.58, 0.25, 0.25),
        (0.7, 0.5, 0.5),
        (0.85, 0.75, 0.75),
        (1.0, 1.0, 0.75),
    ],
)
def test_the_large_one_answers_below_the_threshold(threshold, escalated, accuracy):
    point = run_cascade(PREDICTIONS, threshold)
    assert (point.escalated, point.accuracy) == (escalated, accuracy)
    assert point.cost == pytest.approx(0.1 + escalated)


def test_the_curve_runs_from_the_small_one_alone_to_the_large_one_for_all():
    curve = cascade_curve(PREDICTIONS)
    assert curve[0] == run_cascade(PREDICTIONS, 0.0)
    assert curve[-1] == run_cascade(PREDICTIONS, 1.0)
    assert {point.escalated for point in curve} == {0.0, 0.25, 0.5, 0.75, 1.0}
    thresholds = [point.threshold for point in curve]
    assert thresholds == sorted(set(thresholds))


def test_the_cheapest_of_the_good_points_is_chosen():
    points = [
        CascadePoint(threshold, cost, accuracy, cost)
        for threshold, cost, accuracy in [(0.1, 0.1, 0.8), (0.5, 0.3, 0.899), (0.9, 0.6, 0.9)]
    ]
    assert choose_point(points, 0.0).threshold == 0.9
    assert choose_point(points, 0.002).threshold == 0.5
    assert choose_point(points, 0.2).threshold == 0.1


def test_a_threshold_survives_being_written_down():
    generator = np.random.default_rng(4)
    small = generator.dirichlet([0.3] * 10, 500)
    predictions = Predictions(small, small, generator.integers(0, 10, 500), 1, 2)
    for point in cascade_curve(predictions):
        assert run_cascade(predictions, float(f"{point.threshold:g}")) == point


def test_predictions_come_from_the_repository(
    exported_cnn: Path, images: np.ndarray, tmp_path: Path
):
    for name in ("cnn", "mlp"):
        shutil.copytree(exported_cnn, tmp_path / name / "1")
    examples = Split(images[..., 0].astype(np.uint8), np.arange(5, dtype=np.uint8))
    predictions = collect_predictions(tmp_path, "mlp", "cnn", examples)
    np.testing.assert_array_equal(predictions.small, predictions.large)
    assert predictions.small.shape == (5, 10)
    np.testing.assert_allclose(predictions.small.sum(axis=1), 1, rtol=1e-5)
    assert predictions.small_parameters == predictions.large_parameters > 0


def test_a_missing_model_is_named(tmp_path: Path):
    examples = Split(np.zeros((1, 28, 28), np.uint8), np.zeros(1, np.uint8))
    with pytest.raises(ModelRepositoryError, match="mlp"):
        collect_predictions(tmp_path, "mlp", "cnn", examples)


def test_the_figure_is_the_same_each_time(tmp_path: Path):
    chosen = cascade_curve(PREDICTIONS)[1]
    files = [
        save_figure(draw_cascade(PREDICTIONS, chosen, "mlp", "cnn"), tmp_path / name).read_bytes()
        for name in ("a.png", "b.png")
    ]
    assert files[0] == files[1]
    assert files[0].startswith(b"\x89PNG")
