from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from training.architectures.float16_storage import store_as_float16
from training.exporting.export import write_saved_model
from training.exporting.session import SessionModel
from training.signatures.predict import predict


@pytest.fixture(scope="module")
def model() -> keras.Model:
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            keras.layers.Rescaling(1 / 255),
            keras.layers.Conv2D(16, 3, activation="relu"),
            keras.layers.Flatten(),
            keras.layers.Dense(5),
        ]
    )


def test_weights_are_rounded_and_nothing_else_changes(model: keras.Model) -> None:
    images = np.random.default_rng(0).uniform(0, 255, (4, 8, 8, 3)).astype(np.float32)
    rounded = keras.models.clone_model(model)
    rounded.set_weights([weights.astype(np.float16) for weights in model.get_weights()])

    stored = store_as_float16(model)

    assert {weights.dtype for weights in stored.weights} == {"float16"}
    assert stored(images).dtype == tf.float32
    np.testing.assert_array_equal(stored(images), rounded(images))


def test_an_export_is_half_the_size_and_answers_alike(model: keras.Model, tmp_path: Path) -> None:
    images = np.random.default_rng(0).uniform(0, 255, (4, 8, 8, 3)).astype(np.float32)
    stored = store_as_float16(model)
    write_saved_model(tmp_path, [predict(stored, list("abcde"))])

    data = next((tmp_path / "variables").glob("*.data-*")).stat().st_size
    assert data == pytest.approx(2 * model.count_params(), abs=2000)
    with SessionModel(tmp_path) as session:
        logits = session.run("serving_default", images=images)["logits"]
    np.testing.assert_allclose(logits, stored(images), atol=1e-5)
