"""Compares a linear autoencoder with the Eckart-Young theorem, on a matrix."""

from __future__ import annotations

from dataclasses import dataclass

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from training.architectures.autoencoder import build_linear_autoencoder

STEPS = 4_000
STEPS_PER_CALL = 500


@dataclass(frozen=True)
class Comparison:
    """Comparison of a linear autoencoder with the best approximation of its rank.

    Attributes:
        distance: Frobenius norm of the difference between both approximations.
        error: Frobenius norm of the autoencoder's error.
        best_error: Frobenius norm of the error of the truncated singular value decomposition.
    """

    distance: float
    error: float
    best_error: float


def random_matrix(size: int = 50, seed: int = 0) -> npt.NDArray[np.float32]:
    """Returns the course's matrix of standard normal numbers, float32 [size, size]."""
    generator = np.random.default_rng(seed)
    return generator.standard_normal((size, size)).astype(np.float32)


def compare_with_svd(matrix: npt.NDArray[np.float32], rank: int = 10) -> Comparison:
    """Trains a linear autoencoder on a matrix's rows and compares it with the truncated SVD.

    Args:
        matrix: float32 [M, N].
        rank: Rank of the approximation.
    """
    left, values, right = np.linalg.svd(matrix.astype(np.float64), full_matrices=False)
    best = left[:, :rank] * values[:rank] @ right[:rank]
    keras.utils.set_random_seed(0)
    model = build_linear_autoencoder(matrix.shape[1:], rank)
    # The largest singular value bounds the curvature of the loss, and with it the learning rate.
    learning_rate = 0.02 * matrix.size / values[0] ** 2
    model.compile(
        keras.optimizers.SGD(learning_rate, momentum=0.95, nesterov=True),
        loss="mean_squared_error",
        steps_per_execution=STEPS_PER_CALL,
        jit_compile=False,
    )
    rows = tf.data.Dataset.from_tensors((matrix, matrix)).repeat()
    model.fit(rows, steps_per_epoch=STEPS, shuffle=False, verbose=0)
    restored = model(matrix, training=False).numpy()
    return Comparison(
        distance=float(np.linalg.norm(restored - best)),
        error=float(np.linalg.norm(matrix - restored)),
        best_error=float(np.linalg.norm(matrix - best)),
    )
