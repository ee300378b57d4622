"""Runs in the caller's thread, on the variables of another session."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from services.model_server.servables import single_thread
from services.model_server.servables.saved_model import SavedModelServable


class Counter(tf.Module):
    """A model whose second signature writes the variable that the first one reads."""

    def __init__(self, *, writes: bool) -> None:
        super().__init__()
        self.weights = tf.Variable(tf.range(6.0))
        self.writes = writes

    @tf.function(input_signature=[tf.TensorSpec([None, 6], tf.float32, name="x")])
    def serve(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"y": tf.reduce_sum(x * self.weights, -1), "weights": self.weights + 0}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, name="by")])
    def add(self, by: tf.Tensor) -> dict[str, tf.Tensor]:
        if self.writes:
            self.weights.assign_add(tf.fill([6], by[0]))
        return {"weights": self.weights + by}


def load(folder: Path, *, writes: bool) -> SavedModelServable:
    module = Counter(writes=writes)
    signatures = {"serving_default": module.serve, "add": module.add}
    tf.saved_model.save(module, str(folder), signatures)
    return SavedModelServable(folder, on_threads=lambda rows, threads: None)


@pytest.fixture
def servable(tmp_path: Path) -> Iterator[SavedModelServable]:
    servable = load(tmp_path, writes=False)
    yield servable
    servable.close()


def test_both_sessions_compute_the_same(servable: SavedModelServable) -> None:
    x = np.arange(12, dtype=np.float32).reshape(2, 6)
    for is_single in (True, False):
        weights, y = servable._callable("serving_default", ("weights", "y"), is_single)(x)
        np.testing.assert_array_equal(weights, np.arange(6))
        np.testing.assert_array_equal(y, x @ np.arange(6))


def test_the_single_session_starts_no_shared_threads(servable: SavedModelServable) -> None:
    assert servable._single is not None
    config = servable._single._config
    assert (config.intra_op_parallelism_threads, config.inter_op_parallelism_threads) == (1, -1)
    shares_threads = single_thread._shares_threads()
    assert shares_threads is not None
    assert shares_threads.value is True


def test_variables_are_in_memory_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    given = []

    def aligned(array: np.ndarray) -> np.ndarray:
        given.append(single_thread_aligned(array))
        return given[-1]

    single_thread_aligned = single_thread._aligned
    monkeypatch.setattr(single_thread, "_aligned", aligned)
    servable = load(tmp_path, writes=False)
    # What both sessions read is the memory that they were given.
    [weights] = given
    weights[...] = 7
    x = np.ones((1, 6), np.float32)
    for is_single in (True, False):
        [y] = servable._callable("serving_default", ("y",), is_single)(x)
        assert y == [42]
    servable.close()


def test_a_model_that_writes_its_variables_has_one_session(tmp_path: Path) -> None:
    servable = load(tmp_path, writes=True)
    assert servable._single is None
    x = np.ones((1, 6), np.float32)
    for _ in range(2):
        before = servable.run("serving_default", {"x": x}, ["y"])["y"]
        servable.run("add", {"by": np.ones(1, np.float32)}, ["weights"])
        assert servable.run("serving_default", {"x": x}, ["y"])["y"] == before + 6
    servable.close()


def test_a_build_of_tensorflow_without_the_setting_has_one_session(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(single_thread, "_shares_threads", lambda: None)
    servable = load(tmp_path, writes=False)
    assert servable._single is None
    servable.close()


@pytest.mark.skipif(sys.platform != "linux", reason="reads the names of threads")
def test_no_pool_of_threads_polls(servable: SavedModelServable) -> None:
    x = np.ones((1, 6), np.float32)
    for _ in range(20):
        servable.run("serving_default", {"x": x}, ["y"])
    names = {path.read_text() for path in Path("/proc/self/task").glob("*/comm")}
    # TensorFlow's pool of run handlers wakes each of its threads 4,000 times a second.
    assert not {name for name in names if name.startswith("tf_run_handler")}
