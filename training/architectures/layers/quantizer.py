"""Rounds a code to whole numbers in the graph, and trains as if it did not."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="lectern")
class Quantizer(keras.layers.Layer):  # type: ignore[misc]  # Keras ships no types.
    """Maps real numbers to the whole numbers 0, 1, …, `levels - 1`.

    A sigmoid squeezes them into that range, then they are rounded. Rounding has no gradient worth
    having, so the gradient passes straight through it (Bengio et al. 2013,
    https://arxiv.org/abs/1308.3432): it is that of the sigmoid alone.

    Args:
        levels: How many values an element may take; 256 of them fit a byte.
        **options: Those of `keras.layers.Layer`.
    """

    def __init__(self, levels: int = 256, **options: Any) -> None:
        super().__init__(**options)
        self.levels = levels

    def call(self, inputs: keras.KerasTensor) -> keras.KerasTensor:
        """Quantises each element: float32 of any shape to float32 of the same."""
        scaled = (self.levels - 1) * ops.sigmoid(inputs)
        # Exact in floating point, so whole numbers come out.
        return scaled + ops.stop_gradient(ops.round(scaled) - scaled)

    def get_config(self) -> dict[str, Any]:
        """Returns what a new layer is built from."""
        return {**super().get_config(), "levels": self.levels}
