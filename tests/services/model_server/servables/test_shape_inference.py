"""Ranks that would abort the process are refused; those that TensorFlow takes are not.

Only `find_refusal` is asked about shapes that would abort: nothing here runs on them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from services.model_server.errors import ServingError
from services.model_server.servables import saved_model
from services.model_server.servables.saved_model import SavedModelServable
from services.serving_api.protos import error_codes_pb2

FILTER = np.ones((3, 3, 1, 1), np.float32)
IMAGES = tf.TensorSpec([None, 4, 4, 1], tf.float32, name="x")
UNKNOWN = tf.TensorSpec(None, tf.float32, name="x")


def convolve(x: tf.Tensor) -> tf.Tensor:
    return tf.nn.conv2d(x, FILTER, 1, "SAME")


class Convolutions(tf.Module):
    """A convolution in every place where a graph can hide one."""

    @tf.function(input_signature=[IMAGES])
    def plain(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"y": convolve(x)}

    @tf.function(input_signature=[IMAGES])
    def in_a_loop(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
        _, y = tf.while_loop(lambda i, _: i < 2, lambda i, x: (i + 1, convolve(x)), (0, x))
        return {"y": y}

    @tf.function(input_signature=[IMAGES])
    def after_a_loop(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
        _, y = tf.while_loop(lambda i, _: i < 2, lambda i, x: (i + 1, tf.nn.relu(x)), (0, x))
        return {"y": convolve(y)}

    @tf.function(input_signature=[IMAGES])
    def in_a_branch(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"y": tf.cond(tf.reduce_sum(x) >= 0, lambda: convolve(x), lambda: x)}

    @tf.function(input_signature=[IMAGES])
    def after_a_branch(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"y": convolve(tf.cond(tf.reduce_sum(x) >= 0, lambda: x, lambda: -x))}

    @tf.function(input_signature=[IMAGES])
    def of_each_row(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"y": tf.map_fn(lambda row: convolve(row[None])[0], x)}

    @tf.function(input_signature=[UNKNOWN])
    def of_unknown_rank(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"y": convolve(x)}

    @tf.function(input_signature=[tf.TensorSpec([None, 16], tf.float32, name="x")])
    def after_a_reshape(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"y": convolve(tf.reshape(x, (-1, 4, 4, 1)))}

    @tf.function(input_signature=[UNKNOWN])
    def none_of_unknown_rank(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"y": 2 * x}


OF_IMAGES = [
    "plain",
    "in_a_loop",
    "after_a_loop",
    "in_a_branch",
    "after_a_branch",
    "of_each_row",
    "of_unknown_rank",
]


@pytest.fixture(scope="module")
def convolutions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SavedModelServable]:
    folder = str(tmp_path_factory.mktemp("convolutions"))
    module = Convolutions()
    names = [*OF_IMAGES, "after_a_reshape", "none_of_unknown_rank"]
    tf.saved_model.save(module, folder, signatures={name: getattr(module, name) for name in names})
    servable = SavedModelServable(Path(folder))
    yield servable
    servable.close()


def run(servable: SavedModelServable, name: str, shape: tuple[int, ...]) -> np.ndarray:
    return servable.run(name, {"x": np.ones(shape, np.float32)}, ["y"])["y"]


@pytest.mark.parametrize("name", OF_IMAGES)
def test_a_convolution_runs_on_its_own_rank_only(
    convolutions: SavedModelServable, name: str
) -> None:
    assert run(convolutions, name, (2, 4, 4, 1)).shape == (2, 4, 4, 1)
    for rank in (0, 1, 2, 3, 5, 6):
        with pytest.raises(ServingError, match="the model does not take these ranks") as caught:
            run(convolutions, name, (1,) * rank)
        assert caught.value.code == error_codes_pb2.INVALID_ARGUMENT


def test_what_tensorflow_takes_runs(convolutions: SavedModelServable) -> None:
    for shape in [(16,), (1, 16), (4, 4), (1, 4, 4), (1, 1, 4, 4)]:
        assert run(convolutions, "after_a_reshape", shape).shape == (1, 4, 4, 1)
        assert (run(convolutions, "none_of_unknown_rank", shape) == np.full(shape, 2)).all()


def test_each_rank_is_inferred_once(
    convolutions: SavedModelServable, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ServingError):
        run(convolutions, "plain", (3,))
    monkeypatch.setattr(saved_model, "find_refusal", None)
    with pytest.raises(ServingError, match="the model does not take these ranks"):
        run(convolutions, "plain", (7,))
