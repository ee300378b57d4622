"""Maps of the trained CNN: they depend on what it learned, and name the pixels that matter."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.training.signatures.call import call
from training.signatures.saliency import (
    saliency_gradcam,
    saliency_gradient,
    saliency_integrated_gradients,
    saliency_smoothgrad,
)
from training.signatures.signature import Signature

Method = Callable[[keras.Model], Signature]
METHODS = [saliency_gradient, saliency_smoothgrad, saliency_integrated_gradients, saliency_gradcam]
CLASS_INDEX = np.arange(10, dtype=np.int32)  # Of the samples.
LEVELS = np.linspace(0, 784, 29).astype(int)  # How many pixels are exchanged.

pytestmark = pytest.mark.parametrize("method", METHODS, ids=lambda method: method.__name__)


def attribute(signature: Signature, images: np.ndarray) -> np.ndarray:
    outputs = call(signature, images=images, class_index=CLASS_INDEX)
    return outputs["attribution"].reshape(10, 784)


def rank_correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Spearman's, averaged over the images."""
    ranks = (np.argsort(np.argsort(maps, axis=1), axis=1) for maps in (first, second))
    return float(np.mean([np.corrcoef(*pair)[0, 1] for pair in zip(*ranks, strict=True)]))


def test_cascading_randomisation_destroys_the_map(
    method: Method, trained_cnn: keras.Model, samples: np.ndarray
) -> None:
    """Adebayo et al. 2018, https://arxiv.org/abs/1810.03292."""
    model = keras.models.clone_model(trained_cnn)
    model.set_weights(trained_cnn.get_weights())
    signature = method(model)
    original = attribute(signature, samples)

    correlations = []
    for name in ("logits", "conv3", "conv1"):  # From the top.
        kernel = model.get_layer(name).kernel
        kernel.assign(keras.initializers.GlorotUniform(seed=1)(kernel.shape))
        correlations.append(rank_correlation(original, attribute(signature, samples)))

    assert correlations[0] < 0.5
    assert abs(correlations[-1]) < 0.3


def mean_probability(
    model: keras.Model, order: np.ndarray, start: np.ndarray, end: np.ndarray
) -> float:
    """The mean probability of the samples' classes on the way from one image to another.

    Args:
        model: The classifier.
        order: int [10, 784], in which order the pixels are exchanged.
        start: float32 [10, 28, 28, 1].
        end: The same.
    """
    turn = np.argsort(order, axis=1).reshape(10, 1, 28, 28, 1)
    exchanged = turn < LEVELS[:, None, None, None]
    way = np.where(exchanged, end[:, None], start[:, None]).reshape(-1, 28, 28, 1)
    probabilities = tf.nn.softmax(model(way)).numpy().reshape(10, len(LEVELS), 10)
    return float(probabilities[CLASS_INDEX, :, CLASS_INDEX].mean())


def test_deletion_and_insertion_beat_random_order(
    method: Method, trained_cnn: keras.Model, samples: np.ndarray
) -> None:
    """Petsiuk et al. 2018, https://arxiv.org/abs/1806.07421."""
    rng = np.random.default_rng(0)
    random_order = rng.permuted(np.tile(np.arange(784), (10, 1)), axis=1)
    order = np.argsort(-attribute(method(trained_cnn), samples), axis=1, kind="stable")
    black = np.zeros_like(samples)

    deletion, random_deletion = (
        mean_probability(trained_cnn, pixels, samples, black) for pixels in (order, random_order)
    )
    insertion, random_insertion = (
        mean_probability(trained_cnn, pixels, black, samples) for pixels in (order, random_order)
    )

    assert deletion < random_deletion - 0.05
    assert insertion > random_insertion + 0.05
