"""TensorFlow Lite models in a SavedModel's place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from services.model_server.errors import ServingError
from services.model_server.loading.load_options import LoadOptions
from services.model_server.loading.loader import load
from services.model_server.operations.predict import predict
from services.model_server.servables.cancellation import Cancellation
from services.model_server.servables.tflite_model import TfLiteServable

Publish = Callable[..., Path]


class Thirds(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([None, 1], tf.float32, name="x")])
    def multiply(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"y": 3.0 * x}


@pytest.fixture(scope="module")
def tflite(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("thirds")
    module = Thirds()
    tf.saved_model.save(module, str(folder), signatures=module.multiply)
    converted: bytes = tf.lite.TFLiteConverter.from_saved_model(str(folder)).convert()
    return converted


def test_it_is_preferred_where_the_flag_says_so(publish: Publish, tflite: bytes) -> None:
    version = publish(1)
    (version / "model.tflite").write_bytes(tflite)
    x = np.array([[1], [2]], np.float32)
    for preferred, expected in ((True, 3 * x), (False, x / 2 + 2)):
        servable = load(version, LoadOptions(prefer_tflite_model=preferred))
        outputs = predict(servable, "serving_default", {"x": x}, ["y"])
        np.testing.assert_array_equal(outputs["y"], expected)
        servable.close()


def test_without_one_the_saved_model_is_loaded(publish: Publish) -> None:
    servable = load(publish(1), LoadOptions(prefer_tflite_model=True))
    assert "matmul" in servable.signatures
    servable.close()


def test_batches_of_any_size_and_answers_that_stay(tmp_path: Path, tflite: bytes) -> None:
    (tmp_path / "model.tflite").write_bytes(tflite)
    servable = TfLiteServable(tmp_path)
    assert servable.signatures["serving_default"].inputs["x"].shape == (None, 1)
    first = servable.run("serving_default", {"x": np.ones((2, 1), np.float32)}, ["y"])["y"]
    servable.run("serving_default", {"x": np.zeros((5, 1), np.float32)}, ["y"])
    np.testing.assert_array_equal(first, [[3], [3]])


def test_a_request_that_nobody_waits_for_does_not_run(tmp_path: Path, tflite: bytes) -> None:
    (tmp_path / "model.tflite").write_bytes(tflite)
    servable = TfLiteServable(tmp_path)
    cancellation = Cancellation()
    cancellation.cancel()
    with cancellation.of_this_request(), pytest.raises(ServingError, match="the deadline passed"):
        servable.run("serving_default", {"x": np.ones((2, 1), np.float32)}, ["y"])


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "model.tflite").write_bytes(b"nonsense")
    with pytest.raises(ServingError, match=r"Could not load .*model\.tflite"):
        TfLiteServable(tmp_path)


def test_an_empty_input_never_reaches_the_interpreter(tmp_path: Path, tflite: bytes) -> None:
    (tmp_path / "model.tflite").write_bytes(tflite)
    servable = TfLiteServable(tmp_path)
    with pytest.raises(ServingError, match=r"input 'x' has the shape \[0, 1\], which is empty"):
        servable.run("serving_default", {"x": np.ones((0, 1), np.float32)}, ["y"])
