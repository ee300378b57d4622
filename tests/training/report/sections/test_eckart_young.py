from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.training.report.fake_models import codec, fake_model, report_data
from training.evaluation.eckart_young import Comparison
from training.report.sections import eckart_young
from training.report.sections.eckart_young import eckart_young_section, truncated_error


def test_the_least_error_is_that_of_the_truncated_decomposition() -> None:
    rows = np.random.default_rng(0).random((60, 20))
    left, values, right = np.linalg.svd(rows, full_matrices=False)
    best = left[:, :3] * values[:3] @ right[:3]

    assert truncated_error(rows, 3) == pytest.approx(np.mean((rows - best) ** 2))


def test_it_holds_the_network_against_the_theorem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        eckart_young, "compare_with_svd", lambda matrix: Comparison(1e-4, 33.9, 33.0)
    )
    made = report_data(
        tmp_path,
        fake_model(
            "linear_autoencoder",
            like="linear_autoencoder",
            quality=0.09,
            compress=lambda images: {"code": np.zeros((len(images), 5), np.float32)},
        ),
    )

    text = eckart_young_section(made)

    best = truncated_error(made.test.images.reshape(40, 784) / 255, rank=5)
    assert "The best approximation of rank 5" in text
    assert f"| mean squared error | {best:#.5g} | 0.090000 | {0.09 / best - 1:.2%} |" in text
    assert "| Frobenius norm | 33.000 | 33.900 | 2.73% |" in text
    assert "both approximations is\n1.0e-04" in text


def test_it_needs_the_linear_autoencoder(tmp_path: Path) -> None:
    assert eckart_young_section(report_data(tmp_path, codec("codec", 5))) is None
