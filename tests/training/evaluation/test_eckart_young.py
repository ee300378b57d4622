from __future__ import annotations

import numpy as np

from training.evaluation.eckart_young import compare_with_svd, random_matrix


def test_on_the_courses_matrix_the_network_finds_the_truncated_svd() -> None:
    matrix = random_matrix()

    comparison = compare_with_svd(matrix, rank=10)

    singular_values = np.linalg.svd(matrix.astype(np.float64), compute_uv=False)
    assert matrix.shape == (50, 50)
    np.testing.assert_allclose(comparison.best_error, np.sqrt((singular_values[10:] ** 2).sum()))
    assert comparison.error < 1.01 * comparison.best_error
    assert comparison.distance < 0.001
