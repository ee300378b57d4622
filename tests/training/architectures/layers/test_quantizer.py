from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from training.architectures.layers.quantizer import Quantizer

numbers = arrays.arrays(np.float32, (3, 4), elements=st.floats(-1e4, 1e4, width=32))


def sigmoid(values: np.ndarray) -> np.ndarray:
    """Without overflow, in double precision."""
    return 0.5 * (1 + np.tanh(0.5 * values.astype(np.float64)))


@given(numbers, st.sampled_from([2, 16, 256]))
def test_it_gives_the_nearest_whole_number(values: np.ndarray, levels: int) -> None:
    quantized = Quantizer(levels)(values).numpy()

    np.testing.assert_array_equal(quantized, np.round(quantized))
    assert quantized.min() >= 0
    assert quantized.max() <= levels - 1
    assert np.abs(quantized - (levels - 1) * sigmoid(values)).max() <= 0.5 + 1e-4


@pytest.mark.parametrize("levels", [2, 256])
def test_its_gradient_is_that_of_the_sigmoid_alone(levels: int) -> None:
    values = tf.linspace(-6.0, 6.0, 101)
    with tf.GradientTape() as tape:
        tape.watch(values)
        quantized = Quantizer(levels)(values)
    gradient = tape.gradient(quantized, values)

    expected = (levels - 1) * sigmoid(values.numpy()) * (1 - sigmoid(values.numpy()))
    np.testing.assert_allclose(gradient, expected, rtol=1e-4)


def test_it_comes_back_from_its_config() -> None:
    layer = Quantizer(levels=16, name="code")

    restored = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))

    assert isinstance(restored, Quantizer)
    assert restored.get_config() == layer.get_config()
    assert (restored.levels, restored.name) == (16, "code")
