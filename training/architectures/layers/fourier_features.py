"""Random Fourier features, on which a linear model approximates a kernel machine."""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="lectern")
class FourierFeatures(keras.layers.Layer):  # type: ignore[misc]  # Keras ships no types.
    """Random Fourier features of the Gaussian kernel, not trained.

    Inner products of the features approximate exp(-|x - y|² / (2 · bandwidth²)) (Rahimi and
    Recht 2007, Random features for large-scale kernel machines).

    Args:
        features: Number of features; more features approximate the kernel better.
        bandwidth: Bandwidth of the kernel, in the unit of the inputs.
        seed: Seed of the random directions and phases.
        **options: Options of `keras.layers.Layer`.
    """

    def __init__(self, features: int, bandwidth: float, seed: int = 0, **options: Any) -> None:
        super().__init__(**options)
        self.features = features
        self.bandwidth = bandwidth
        self.seed = seed

    def build(self, input_shape: tuple[int | None, int]) -> None:
        """Draws the directions and phases."""
        self.directions = self.add_weight(
            name="directions",
            shape=(input_shape[-1], self.features),
            initializer=keras.initializers.RandomNormal(stddev=1 / self.bandwidth, seed=self.seed),
            trainable=False,
            dtype="float16",  # Most of the model's size; random values need no precision.
        )
        self.phases = self.add_weight(
            name="phases",
            shape=(self.features,),
            initializer=keras.initializers.RandomUniform(0, 2 * math.pi, seed=self.seed + 1),
            trainable=False,
        )

    def call(self, inputs: keras.KerasTensor) -> keras.KerasTensor:
        """Maps float32 [N, D] to float32 [N, features]."""
        angles = ops.matmul(inputs, ops.cast(self.directions, inputs.dtype)) + self.phases
        return math.sqrt(2 / self.features) * ops.cos(angles)

    def get_config(self) -> dict[str, Any]:
        """Returns the configuration of the layer."""
        own = {"features": self.features, "bandwidth": self.bandwidth, "seed": self.seed}
        return {**super().get_config(), **own}
