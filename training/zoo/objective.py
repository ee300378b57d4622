"""What a network is trained for: its targets, its loss, and how well it does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from training.architectures.elbo import kl_divergence, log_likelihood
from training.data.fashion_mnist import CLASS_NAMES, Split
from training.zoo.pipeline import evaluation_batches
from training.zoo.recipe import Recipe

# The signatures of a loaded SavedModel, by name: each takes tensors by name and gives a dict.
Signatures = Mapping[str, Callable[..., dict[str, tf.Tensor]]]


@dataclass(frozen=True)
class Objective:
    """What a network is trained for.

    Attributes:
        prepare: From a batch of float32 [B, H, W, C] images, 0 to 255, and uint8 [B] labels to
            the inputs and the targets that `fit` is given.
        loss: Makes the loss of a recipe; None for a model whose train step has its own.
        metrics: Makes what the progress bar shows beside the loss.
        quality: What `measure` returns, as the report heads it.
        measure: Computes the quality of an export from its signatures.
    """

    prepare: Callable[[tf.Tensor, tf.Tensor], tuple[tf.Tensor, tf.Tensor]]
    loss: Callable[[Recipe], keras.losses.Loss] | None
    quality: str
    measure: Callable[[Signatures, Split], float]
    metrics: Callable[[], list[Any]] = field(default=list)


def accuracy(signatures: Signatures, examples: Split) -> float:
    """Returns the share of images whose class `serving_default` names."""
    serve = signatures["serving_default"]
    # Few at once: the features of a large network take megabytes an image.
    right = sum(
        int(np.count_nonzero(serve(images=images)["class_index"].numpy() == labels.numpy()))
        for images, labels in evaluation_batches(examples, batch_size=250)
    )
    return right / len(examples)


def reconstruction_error(signatures: Signatures, examples: Split) -> float:
    """Returns the mean squared error a pixel, 0 to 1, of what `compress` and `decompress` keep."""
    total = 0.0
    for images, _ in evaluation_batches(examples):
        code = signatures["compress"](images=images)["code"]
        restored = signatures["decompress"](code=code)["images"]
        errors = (images - restored) / 255
        total += float(tf.reduce_sum(tf.reduce_mean(errors**2, axis=[1, 2, 3])))
    return total / len(examples)


def evidence_lower_bound(signatures: Signatures, examples: Split) -> float:
    """Returns the mean evidence lower bound of an image in nats, from one latent vector each."""
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
# Each class against all others, as scikit-learn's LinearSVC does it.
MARGIN = _classification(lambda _: keras.losses.Hinge())
LEAST_SQUARES = _classification(lambda _: keras.losses.MeanSquaredError())

RECONSTRUCTION = Objective(
    prepare=_images_to_themselves,
    loss=lambda _: keras.losses.MeanSquaredError(),
    quality="mean squared error",
    measure=reconstruction_error,
)

EVIDENCE_LOWER_BOUND = Objective(
    prepare=_images_to_themselves,
    loss=None,  # The model's train step has it.
    quality="evidence lower bound",
    measure=evidence_lower_bound,
)
