"""The linear networks reach what scikit-learn's solvers find for the same problem."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.svm import LinearSVC

from training.data.fashion_mnist import Split, load_test, load_training
from training.evaluation.evaluate import measure
from training.exporting.repository import latest_version
from training.zoo import find_network

MODELS = Path(__file__).parents[2] / "models"

pytestmark = pytest.mark.dataset


def flat(split: Split) -> np.ndarray:
    return split.images.reshape(len(split), -1).astype(np.float32) / 255


def one_hot(labels: np.ndarray) -> np.ndarray:
    return np.eye(10, dtype=np.float32)[labels]


def accuracy_of(name: str) -> float:
    return measure(latest_version(MODELS, name), find_network(name).objective, load_test()).quality


@pytest.fixture(scope="module")
def training() -> Split:
    return load_training()[0]


@pytest.fixture(scope="module")
def linear_svc(training: Split) -> float:
    """The accuracy of scikit-learn's linear support vector machine."""
    test = load_test()
    solver = LinearSVC(dual=False, tol=1e-2).fit(flat(training), training.labels)
    return solver.score(flat(test), test.labels)


def test_linear_regression(training: Split) -> None:
    test = load_test()
    solver = LinearRegression().fit(flat(training), one_hot(training.labels))
    expected = np.mean(solver.predict(flat(test)).argmax(axis=1) == test.labels)

    assert accuracy_of("linear_regression") == pytest.approx(expected, abs=0.005)


@pytest.mark.filterwarnings("ignore:lbfgs failed to converge")
def test_logistic_regression(training: Split) -> None:
    test = load_test()
    # To the minimum it would take many times as long, for the same accuracy.
    solver = LogisticRegression(max_iter=100).fit(flat(training), training.labels)

    expected = solver.score(flat(test), test.labels)
    assert accuracy_of("logistic_regression") == pytest.approx(expected, abs=0.005)


def test_linear_svm(linear_svc: float) -> None:
    assert accuracy_of("svm") == pytest.approx(linear_svc, abs=0.007)


def test_the_kernel_machine_beats_the_linear_one(linear_svc: float) -> None:
    assert accuracy_of("kernel_svm") >= linear_svc + 0.03
