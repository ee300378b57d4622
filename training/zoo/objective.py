"""Training objectives: targets, loss, and the quality measure of a network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from training.architectures.elbo import kl_divergence, log_likelihood
from training.data.batches import evaluation_batches
from training.data.fashion_mnist import CLASS_NAMES, Split
from training.zoo.frechet import frechet_distance
from training.zoo.recipe import Recipe

# The signatures of a loaded SavedModel, by name: each takes tensors by name and returns a dict.
Signatures = Mapping[str, Callable[..., dict[str, tf.Tensor]]]


@dataclass(frozen=True)
class Objective:
    """The training objective of a network.

    Attributes:
        prepare: Turns a batch of inputs and targets, such as float32 [B, H, W, C] images, 0 to
            255, and uint8 [B] labels, into those of `fit`.
        loss: Returns the loss for a recipe; None for models with a train step of their own.
        metrics: Returns the metrics that the progress bar shows besides the loss.
        quality: Name of the quality that `measure` returns, such as `accuracy`.
        measure: Computes the quality of an exported model from its signatures.
        higher_is_better: Whether a higher quality is the better one.
        adapt: Stores in the untrained model what it takes from the training set, as a vocabulary.
    """

    prepare: Callable[[tf.Tensor, tf.Tensor], tuple[tf.Tensor, tf.Tensor]]
    loss: Callable[[Recipe], keras.losses.Loss] | None
    quality: str
    measure: Callable[[Signatures, Any], float]
    metrics: Callable[[], list[Any]] = field(default=list)
    higher_is_better: bool = True
    adapt: Callable[[keras.Model, Any], None] = lambda model, training: None

    def is_worse(self, quality: float, than: float) -> bool:
        """Returns whether a quality is worse than another."""
        return quality < than if self.higher_is_better else quality > than


def accuracy(signatures: Signatures, examples: Split) -> float:
    """Returns the share of images that `serving_default` classifies correctly."""
    serve = signatures["serving_default"]
    # Small batches: the features of a large network take megabytes per image.
    right = sum(
        int(np.count_nonzero(serve(images=images)["class_index"].numpy() == labels.numpy()))
        for images, labels in evaluation_batches(examples, batch_size=250)
    )
    return right / len(examples)


def reconstruction_error(signatures: Signatures, examples: Split) -> float:
    """Returns the mean squared error per pixel, 0 to 1, after `compress` and `decompress`."""
    total = 0.0
    for images, _ in evaluation_batches(examples):
        code = signatures["compress"](images=images)["code"]
        restored = signatures["decompress"](code=code)["images"]
        errors = (images - restored) / 255
        total += float(tf.reduce_sum(tf.reduce_mean(errors**2, axis=[1, 2, 3])))
    return total / len(examples)


def evidence_lower_bound(signatures: Signatures, examples: Split) -> float:
    """Returns the mean evidence lower bound per image in nats, from one latent vector each."""
    total = 0.0
    for index, (images, _) in enumerate(evaluation_batches(examples)):
        code = signatures["encode_latent"](images=images)
        mean, log_variance = code["mean"], code["log_variance"]
        noise = tf.random.stateless_normal(tf.shape(mean), seed=[0, index])
        latent = mean + tf.exp(0.5 * log_variance) * noise
        decoded = signatures["decode_latent"](latent=latent)["images"]
        bounds = log_likelihood(images, decoded) - kl_divergence(mean, log_variance)
        total += float(tf.reduce_sum(bounds))
    return total / len(examples)


def pixel_distance(signatures: Signatures, examples: Split) -> float:
    """Returns the Fréchet distance between the pixels, 0 to 1, of as many generated images.

    It compares means and covariances of the pixels alone, and needs no classifier.
    """
    batches = list(evaluation_batches(examples))
    seeds = tf.split(
        tf.range(len(examples), dtype=tf.int64), [len(images) for images, _ in batches]
    )
    generated = [
        signatures["generate"](seed=seed, temperature=tf.ones(len(seed)))["images"]
        for seed in seeds
    ]
    real, made = (
        np.concatenate([np.reshape(images, (len(images), -1)) for images in parts]) / 255
        for parts in ([images for images, _ in batches], generated)
    )
    return frechet_distance(made, real)


def _images_to_classes(images: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    return images, tf.one_hot(labels, len(CLASS_NAMES))


def _images_to_themselves(images: tf.Tensor, _: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    return images, images


def _classification(loss: Callable[[Recipe], keras.losses.Loss]) -> Objective:
    return Objective(
        prepare=_images_to_classes,
        loss=loss,
        metrics=lambda: [keras.metrics.CategoricalAccuracy(name="accuracy")],
        quality="accuracy",
        measure=accuracy,
    )


CLASSIFICATION = _classification(
    lambda recipe: keras.losses.CategoricalCrossentropy(
        from_logits=True, label_smoothing=recipe.label_smoothing
    )
)
# One class against all others, like scikit-learn's LinearSVC.
MARGIN = _classification(lambda _: keras.losses.Hinge())
LEAST_SQUARES = _classification(lambda _: keras.losses.MeanSquaredError())

RECONSTRUCTION = Objective(
    prepare=_images_to_themselves,
    loss=lambda _: keras.losses.MeanSquaredError(),
    quality="mean squared error",
    measure=reconstruction_error,
    higher_is_better=False,
)

EVIDENCE_LOWER_BOUND = Objective(
    prepare=_images_to_themselves,
    loss=None,  # Part of the model's train step.
    quality="evidence lower bound",
    measure=evidence_lower_bound,
)

ADVERSARIAL = Objective(
    prepare=_images_to_themselves,
    loss=None,  # Part of the model's train step.
    quality="pixel Fréchet distance",
    measure=pixel_distance,
    higher_is_better=False,
)
