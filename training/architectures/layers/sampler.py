"""Draws a latent vector from the normal distribution that an encoder describes."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="lectern")
class Sampler(keras.layers.Layer):  # type: ignore[misc]  # Keras ships no types.
    """Samples mean plus deviation times noise, so that the gradient reaches both.

    The reparametrisation trick of Kingma and Welling 2013, https://arxiv.org/abs/1312.6114.

    Args:
        seed: Of the noise; None takes Keras's global one.
        **options: Those of `keras.layers.Layer`.
    """

    def __init__(self, seed: int | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.seed = seed
        self._generator = keras.random.SeedGenerator(seed)

    def call(self, mean: keras.KerasTensor, log_variance: keras.KerasTensor) -> keras.KerasTensor:
        """Returns one sample a row: float32 [N, L], like both arguments."""
        noise = keras.random.normal(ops.shape(mean), seed=self._generator)
        return mean + ops.exp(0.5 * log_variance) * noise

    def get_config(self) -> dict[str, Any]:
        """Returns what a new layer is built from."""
        return {**super().get_config(), "seed": self.seed}
