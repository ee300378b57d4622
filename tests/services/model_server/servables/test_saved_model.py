"""SavedModels in a session: loading, running, giving memory back."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import config_pb2

from services.model_server.errors import ServingError
from services.model_server.servables.run_threads import RUNS_MEASURED
from services.model_server.servables.saved_model import MAX_CALLABLES, SavedModelServable
from services.serving_api.protos import error_codes_pb2
from tests.contract.models import export_tf1


@pytest.fixture(scope="module")
def servable(exported: dict[float, Path]) -> Iterator[SavedModelServable]:
    servable = SavedModelServable(exported[0.5])
    yield servable
    servable.close()


def run(servable: SavedModelServable, x: np.ndarray, *outputs: str) -> dict[str, np.ndarray]:
    return servable.run("serving_default", {"x": x}, outputs)


def test_computes_the_named_outputs_in_their_order(servable: SavedModelServable) -> None:
    x = np.array([[1], [2]], np.float32)
    outputs = run(servable, x, "y", "negative")
    assert list(outputs) == ["y", "negative"]
    np.testing.assert_array_equal(outputs["y"], x / 2 + 2)
    np.testing.assert_array_equal(outputs["negative"], -x)
    assert list(run(servable, x, "negative")) == ["negative"]


def test_shapes_are_left_to_the_graph(servable: SavedModelServable) -> None:
    x = np.array([1, 2, 3], np.float32)
    assert servable.signatures["serving_default"].inputs["x"].shape == (None, 1)
    np.testing.assert_array_equal(run(servable, x, "y")["y"], x / 2 + 2)


def test_compiled_sets_of_outputs_do_not_pile_up(servable: SavedModelServable) -> None:
    x = np.ones((1, 1), np.float32)
    run(servable, x, "y", "negative")
    made = servable._callable.cache_info()
    run(servable, x, "negative", "y")
    assert servable._callable.cache_info().misses == made.misses
    assert made.maxsize == MAX_CALLABLES


def test_a_scalar_comes_back_as_an_array(servable: SavedModelServable) -> None:
    y = run(servable, np.array(1, np.float32), "y")["y"]
    assert isinstance(y, np.ndarray)
    assert y.shape == ()


def test_strings_are_bytes(servable: SavedModelServable) -> None:
    text = np.array([b"a\x00b", b""], np.object_)
    assert servable.run("shout", {"text": text}, ["text"])["text"].tolist() == [b"A\x00B", b""]


def test_read_only_arrays_are_fine(servable: SavedModelServable) -> None:
    x = np.frombuffer(np.array([4], np.float32).tobytes(), np.float32)
    np.testing.assert_array_equal(run(servable, x, "y")["y"], [4])


def test_an_error_in_the_graph_keeps_its_code(servable: SavedModelServable) -> None:
    with pytest.raises(ServingError, match="Matrix size-incompatible") as caught:
        servable.run("matmul", {"x": np.ones((1, 5), np.float32)}, ["y"])
    assert caught.value.code == error_codes_pb2.INVALID_ARGUMENT


@pytest.mark.parametrize("kind", ["ragged", "sparse"])
def test_an_output_that_is_not_one_tensor_is_named(tmp_path: Path, kind: str) -> None:
    class Splitter(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")])
        def split(self, text: tf.Tensor) -> dict[str, Any]:
            words = tf.strings.split(text)
            return {
                "words": words if kind == "ragged" else words.to_sparse(),
                "length": tf.strings.length(text),
            }

    module = Splitter()
    tf.saved_model.save(module, str(tmp_path), signatures=module.split)
    servable = SavedModelServable(tmp_path)
    inputs = {"text": np.array([b"a b", b"c"], np.object_)}
    with pytest.raises(ServingError, match=f'output "words" is a {kind} tensor') as caught:
        servable.run("serving_default", inputs, ["length", "words"])
    assert caught.value.code == error_codes_pb2.INVALID_ARGUMENT
    assert servable.run("serving_default", inputs, ["length"])["length"].tolist() == [3, 1]
    servable.close()


def test_many_threads_may_run_at_once(servable: SavedModelServable) -> None:
    failures = []

    def check(value: int) -> None:
        x = np.full((8, 1), value, np.float32)
        for _ in range(50):
            if not np.array_equal(run(servable, x, "y")["y"], x / 2 + 2):
                failures.append(value)

    threads = [threading.Thread(target=check, args=(value,)) for value in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_a_closed_servable_answers_no_more(exported: dict[float, Path]) -> None:
    servable = SavedModelServable(exported[3.0])
    run(servable, np.ones(1, np.float32), "y")
    servable.close()
    with pytest.raises(ServingError, match="Session has been closed"):
        run(servable, np.ones(1, np.float32), "y")


def test_a_folder_without_a_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ServingError, match=f"Could not load the SavedModel in {tmp_path}"):
        SavedModelServable(tmp_path)


def test_a_damaged_model_is_named(tmp_path: Path) -> None:
    (tmp_path / "saved_model.pb").write_bytes(b"\xff\xff no proto")
    with pytest.raises(ServingError, match=f"Could not load the SavedModel in {tmp_path}"):
        SavedModelServable(tmp_path)


def test_a_model_without_the_tags_is_named(exported: dict[float, Path]) -> None:
    with pytest.raises(ServingError, match="gpu"):
        SavedModelServable(exported[0.5], tags=("gpu",))


def test_functions_are_optimized_by_their_call_alone(exported: dict[float, Path]) -> None:
    given = config_pb2.ConfigProto(allow_soft_placement=True)
    servable = SavedModelServable(exported[0.5], config=given)
    used = servable._session._config
    assert used.graph_options.rewrite_options.disable_meta_optimizer
    assert used.allow_soft_placement
    assert not given.graph_options.HasField("rewrite_options")
    servable.close()


def test_rewrite_options_that_were_asked_for_are_kept(exported: dict[float, Path]) -> None:
    given = config_pb2.ConfigProto()
    given.graph_options.rewrite_options.min_graph_nodes = 3
    servable = SavedModelServable(exported[0.5], config=given)
    assert servable._session._config.graph_options == given.graph_options
    servable.close()


def test_a_graph_without_functions_is_optimized_by_the_session(tmp_path: Path) -> None:
    export_tf1(tmp_path / "1")
    servable = SavedModelServable(tmp_path / "1")
    assert not servable._session._config.graph_options.rewrite_options.disable_meta_optimizer
    servable.close()


def test_runs_of_the_default_signature_choose_their_threads(exported: dict[float, Path]) -> None:
    chosen: list[tuple[int, int]] = []
    servable = SavedModelServable(exported[0.5], on_threads=lambda *what: chosen.append(what))
    given = SavedModelServable(exported[0.5])
    x = np.array([[1], [2], [3]], np.float32)
    for _ in range(2 * RUNS_MEASURED):
        np.testing.assert_array_equal(run(servable, x, "y")["y"], run(given, x, "y")["y"])
    # With one core there is nothing to choose.
    assert [rows for rows, _ in chosen] == [2] * (len(os.sched_getaffinity(0)) > 1)
    servable.close()
    given.close()
