"""A layer that quantizes a code and passes gradients straight through."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="lectern")
class Quantizer(keras.layers.Layer):  # type: ignore[misc]  # Keras ships no types.
    """Maps real numbers to the integers 0, 1, …, `levels - 1`.

    A sigmoid maps them into that range, then they are rounded. The gradient of rounding is zero, so
    the gradient of the sigmoid alone is used (straight-through estimator, Bengio et al. 2013,
    https://arxiv.org/abs/1308.3432).

    Args:
        levels: Number of values that an element can take; 256 fit into a byte.
        **options: Options of `keras.layers.Layer`.
    """

    def __init__(self, levels: int = 256, **options: Any) -> None:
        super().__init__(**options)
        self.levels = levels

    def call(self, inputs: keras.KerasTensor) -> keras.KerasTensor:
        """Quantizes each element of a float32 tensor of any shape."""
        scaled = (self.levels - 1) * ops.sigmoid(inputs)
        # The sum is exact in floating point, so the results are integers.
        return scaled + ops.stop_gradient(ops.round(scaled) - scaled)

    def get_config(self) -> dict[str, Any]:
        """Returns the configuration of the layer."""
        return {**super().get_config(), "levels": self.levels}
