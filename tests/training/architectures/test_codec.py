from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from training.architectures.codec import build_codec
from training.architectures.layers.quantizer import Quantizer


@pytest.mark.parametrize("bits", [2, 4, 8])
def test_its_code_fits_32_bytes(bits: int, images: np.ndarray) -> None:
    code = build_codec(bits=bits).get_layer("encoder")(images).numpy()

    assert code.shape == (5, 32 * 8 // bits)
    np.testing.assert_array_equal(code, np.round(code))
    assert code.min() >= 0
    assert code.max() < 2**bits


def test_it_restores_images_from_the_code_alone(images: np.ndarray) -> None:
    model = build_codec()

    restored = model(images).numpy()

    code = model.get_layer("encoder")(images).numpy()
    np.testing.assert_array_equal(restored, model.get_layer("decoder")(np.round(code)))
    assert restored.shape == images.shape
    assert restored.min() >= 0
    assert restored.max() <= 255


def test_gradients_pass_the_quantizer_to_the_first_layer(images: np.ndarray) -> None:
    model = build_codec()

    with tf.GradientTape() as tape:
        error = tf.reduce_mean((model(images, training=True) - images) ** 2)
    gradients = tape.gradient(error, model.trainable_variables)

    assert all(float(tf.norm(gradient)) > 0 for gradient in gradients)


def test_it_comes_back_from_a_file(images: np.ndarray, tmp_path: Path) -> None:
    model = build_codec(code_size=8)
    model.save(tmp_path / "codec.keras")

    restored = keras.saving.load_model(tmp_path / "codec.keras")

    assert isinstance(restored.get_layer("encoder").layers[-1], Quantizer)
    np.testing.assert_array_equal(restored(images), model(images))
