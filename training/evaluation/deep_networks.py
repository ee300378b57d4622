"""Compares ways to make a deep network trainable: initialization, activation, normalization."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf
from keras import layers

from training.data.batches import training_batches
from training.data.fashion_mnist import CLASS_NAMES, IMAGE_SHAPE, Split
from training.evaluation.figure import COLOURS, new_figure, save_figure, show_grid

DEPTH, UNITS = 12, 64
STEPS, BATCH_SIZE = 200, 128
# Steps over which the drawn loss is averaged.
SMOOTHING = 10

Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Variant:
    """One way to build the deep network.

    Attributes:
        initializer: Keras's initializer of the hidden layers.
        activation: Keras's activation of the hidden layers.
        normalized: Whether batch normalization precedes each activation.
    """

    initializer: str | keras.initializers.Initializer
    activation: str
    normalized: bool = False


VARIANTS = {
    "plain: sigmoid, small weights": Variant(
        keras.initializers.RandomNormal(stddev=0.05), "sigmoid"
    ),
    "ReLU, small weights": Variant(keras.initializers.RandomNormal(stddev=0.05), "relu"),
    "ReLU, He initialization": Variant("he_normal", "relu"),
    "ELU, He initialization": Variant("he_normal", "elu"),
    "batch normalization": Variant(keras.initializers.RandomNormal(stddev=0.05), "relu", True),
}


def build_deep_network(variant: Variant, depth: int = DEPTH) -> keras.Model:
    """Builds a dense network from images to logits, with seeded weights.

    Args:
        variant: How its hidden layers are built.
        depth: Number of hidden layers.
    """
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.Input(IMAGE_SHAPE), layers.Rescaling(1 / 255), layers.Flatten()]
    )
    for _ in range(depth):
        model.add(layers.Dense(UNITS, kernel_initializer=variant.initializer))
        if variant.normalized:
            model.add(layers.BatchNormalization())
        model.add(layers.Activation(variant.activation))
    model.add(layers.Dense(len(CLASS_NAMES)))
    return model


def gradient_sizes(model: keras.Model, images: tf.Tensor, labels: tf.Tensor) -> Values:
    """Returns the root mean square of the loss's gradient by each layer's weights."""
    kernels = [layer.kernel for layer in model.layers if isinstance(layer, layers.Dense)]
    with tf.GradientTape() as tape:
        logits = model(images, training=True)
        loss = keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)
        mean = tf.reduce_mean(loss)
    gradients = tape.gradient(mean, [kernel.value for kernel in kernels])
    return np.array([np.sqrt(np.mean(np.square(gradient))) for gradient in gradients])


def training_losses(model: keras.Model, examples: Split, steps: int = STEPS) -> Values:
    """Trains a network for some steps and returns the loss of each of them."""
    losses: list[float] = []
    model.compile(
        keras.optimizers.SGD(0.01, momentum=0.9),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=False,
    )
    for images, labels in training_batches(examples, BATCH_SIZE, seed=0).repeat().take(steps):
        losses.append(float(model.train_on_batch(images, labels, return_dict=True)["loss"]))
        model.reset_metrics()
    return np.array(losses)


def draw_deep_networks(examples: Split, path: Path, steps: int = STEPS) -> Path:
    """Draws each variant's gradients before training and its loss during training.

    Args:
        examples: The training set.
        path: Path of the PNG file; its folder is created if missing.
        steps: Training steps of each variant.

    Returns:
        The same path.
    """
    figure, panels = new_figure(12, 4, columns=2)
    gradients, losses = panels.flat
    images, labels = next(iter(training_batches(examples, BATCH_SIZE, seed=0)))
    window = np.ones(SMOOTHING) / SMOOTHING
    for (name, variant), colour in zip(VARIANTS.items(), COLOURS, strict=False):
        model = build_deep_network(variant)
        sizes = gradient_sizes(model, images, labels)
        gradients.plot(np.arange(1, len(sizes) + 1), sizes, color=colour, marker="o", label=name)
        smooth = np.convolve(training_losses(model, examples, steps), window, mode="valid")
        losses.plot(np.arange(len(smooth)) + SMOOTHING, smooth, color=colour, label=name)
    gradients.set(yscale="log", xlabel="layer", title="size of the gradient before training")
    losses.set(xlabel="step", title=f"training loss, mean of {SMOOTHING} steps")
    losses.legend(frameon=False, fontsize=9)
    for panel in panels.flat:
        show_grid(panel)
    return save_figure(figure, path)
