"""A layer that samples latent vectors from the distributions of an encoder."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="lectern")
class Sampler(keras.layers.Layer):  # type: ignore[misc]  # Keras ships no types.
    """Samples mean plus standard deviation times noise, so that both receive gradients.

    This is the reparametrization trick (Kingma and Welling 2013, https://arxiv.org/abs/1312.6114).

    Args:
        seed: Seed of the noise; None uses Keras's global seed.
        **options: Options of `keras.layers.Layer`.
    """

    def __init__(self, seed: int | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.seed = seed
        self._generator = keras.random.SeedGenerator(seed)

    def call(self, mean: keras.KerasTensor, log_variance: keras.KerasTensor) -> keras.KerasTensor:
        """Returns one sample per row, float32 [N, L], from mean and log variance of that shape."""
        noise = keras.random.normal(ops.shape(mean), seed=self._generator)
        return mean + ops.exp(0.5 * log_variance) * noise

    def get_config(self) -> dict[str, Any]:
        """Returns the configuration of the layer."""
        return {**super().get_config(), "seed": self.seed}
