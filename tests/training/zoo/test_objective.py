from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import tensorflow as tf

from training.data.fashion_mnist import Split
from training.zoo.objective import (
    ADVERSARIAL,
    CLASSIFICATION,
    EVIDENCE_LOWER_BOUND,
    LEAST_SQUARES,
    MARGIN,
    RECONSTRUCTION,
)
from training.zoo.recipe import Recipe

RECIPE = Recipe(epochs=1, label_smoothing=0.2)
LOGITS = np.array([[2.0, -0.5] + [0.0] * 8, [0.5, 3.0] + [-2.0] * 8], np.float32)
LABELS = np.array([0, 4], np.uint8)


@pytest.fixture
def split(images: np.ndarray) -> Split:
    return Split(images[..., 0].astype(np.uint8), np.arange(5, dtype=np.uint8))


def loss_of(objective: object) -> float:
    _, targets = objective.prepare(tf.zeros([2, 28, 28, 1]), tf.constant(LABELS))
    return float(objective.loss(RECIPE)(targets, LOGITS))


def test_cross_entropy_smooths_the_labels() -> None:
    targets = 0.8 * np.eye(10)[LABELS] + 0.02
    log_probabilities = LOGITS - np.log(np.exp(LOGITS).sum(axis=1, keepdims=True))

    expected = -(targets * log_probabilities).sum(axis=1).mean()
    assert loss_of(CLASSIFICATION) == pytest.approx(expected, rel=1e-5)


def test_the_margin_is_of_each_class_against_the_others() -> None:
    signs = 2 * np.eye(10)[LABELS] - 1

    assert loss_of(MARGIN) == pytest.approx(np.maximum(0, 1 - signs * LOGITS).mean(), rel=1e-5)


def test_least_squares_are_over_the_one_hot_targets() -> None:
    assert loss_of(LEAST_SQUARES) == pytest.approx(
        np.square(np.eye(10)[LABELS] - LOGITS).mean(), rel=1e-5
    )


def answer_with(class_index: int) -> Callable[..., dict[str, tf.Tensor]]:
    return lambda images: {"class_index": tf.fill([len(images)], class_index)}


def test_accuracy_is_the_share_of_right_answers(split: Split) -> None:
    assert CLASSIFICATION.measure({"serving_default": answer_with(3)}, split) == 1 / 5


def test_reconstruction_is_measured_on_the_scale_from_0_to_1(split: Split) -> None:
    signatures = {
        "compress": lambda images: {"code": images},
        "decompress": lambda code: {"images": code + 51.0},
    }

    assert RECONSTRUCTION.measure(signatures, split) == pytest.approx(0.2**2, rel=1e-5)


def test_the_evidence_lower_bound_samples_what_the_encoder_describes(split: Split) -> None:
    """With a decoder that knows nothing, the likelihood does not depend on the sample."""
    asked: list[np.ndarray] = []

    def decode(latent: tf.Tensor) -> dict[str, tf.Tensor]:
        asked.append(latent.numpy())
        return {"images": tf.fill([len(latent), 28, 28, 1], 127.5)}

    signatures = {
        "encode_latent": lambda images: {
            "mean": tf.fill([len(images), 1000], 2.0),
            "log_variance": tf.fill([len(images), 1000], np.float32(np.log(9))),
        },
        "decode_latent": decode,
    }

    bound = EVIDENCE_LOWER_BOUND.measure(signatures, split)

    divergence = 1000 * 0.5 * (9 + 2**2 - 1 - np.log(9))
    assert bound == pytest.approx(-784 * np.log(2) - divergence, rel=1e-5)
    (latent,) = asked
    assert latent.mean() == pytest.approx(2, abs=5 * 3 / np.sqrt(5000))
    assert latent.std() == pytest.approx(3, rel=0.05)


def test_generated_pixels_are_compared_by_mean_and_covariance(split: Split) -> None:
    """Images that differ from the real ones by a constant have its squared distance alone."""
    images = split.images[..., None].astype(np.float32)
    signatures = {"generate": lambda seed, temperature: {"images": tf.gather(images, seed) + 25.5}}

    assert ADVERSARIAL.measure(signatures, split) == pytest.approx(784 * 0.1**2, rel=1e-3)
