"""What is checked before a signature runs, and what is said when it is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import pytest

from services.model_server.errors import ServingError
from services.model_server.operations.predict import predict
from services.serving_api.protos import error_codes_pb2, types_pb2
from services.serving_api.signatures import Signature, TensorSpec

IMAGES = TensorSpec(types_pb2.DT_FLOAT, (None, 2))
CLASS_INDEX = TensorSpec(types_pb2.DT_INT32, (None,))


class FakeServable:
    """Adds its inputs, or fails as the graph would."""

    signatures: ClassVar = {
        "add": Signature(
            inputs={"images": IMAGES, "class_index": CLASS_INDEX},
            outputs={"sum": IMAGES, "copy": IMAGES},
            method_name="tensorflow/serving/predict",
        )
    }

    def run(
        self, signature_name: str, inputs: dict[str, np.ndarray], output_names: Sequence[str]
    ) -> dict[str, np.ndarray]:
        if inputs["images"].ndim != 2 or not len(inputs["images"]):
            raise ServingError(error_codes_pb2.INVALID_ARGUMENT, "deep in the graph")
        total = inputs["images"].sum() + inputs["class_index"].sum()
        return {name: np.array([[total]]) for name in output_names}


def inputs(**changes: np.ndarray | None) -> dict[str, np.ndarray]:
    arrays = {"images": np.ones((1, 2), np.float32), "class_index": np.ones(1, np.int32), **changes}
    return {name: array for name, array in arrays.items() if array is not None}


def failure(arrays: dict[str, np.ndarray], output_filter: Sequence[str] = ()) -> str:
    with pytest.raises(ServingError) as caught:
        predict(FakeServable(), "add", arrays, output_filter)
    assert caught.value.code == error_codes_pb2.INVALID_ARGUMENT
    return caught.value.message


def test_all_outputs_by_default() -> None:
    assert predict(FakeServable(), "add", inputs()) == {"sum": [[3]], "copy": [[3]]}


def test_the_output_filter_chooses() -> None:
    assert list(predict(FakeServable(), "add", inputs(), ["copy"])) == ["copy"]


def test_an_unknown_signature() -> None:
    with pytest.raises(ServingError) as caught:
        predict(FakeServable(), "subtract", inputs())
    assert caught.value.code == error_codes_pb2.FAILED_PRECONDITION
    assert caught.value.message == (
        'Serving signature key "subtract" not found. The model has {add}.'
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"class_index": None},
            "input size does not match signature: 1!=2 len({images}) != len({class_index,images})."
            " Sent extra: {}. Missing but required: {class_index}.",
        ),
        (
            {"mask": np.ones(1)},
            "input size does not match signature: 3!=2 len({class_index,images,mask}) != "
            "len({class_index,images}). Sent extra: {mask}. Missing but required: {}.",
        ),
        (
            {"images": np.ones((1, 2))},
            'Expects input "images" to be float32 but float64 is provided.',
        ),
        (
            {"images": np.array([[b"a", b"b"]], np.object_)},
            'Expects input "images" to be float32 but string is provided.',
        ),
        (
            {"images": np.ones(3, np.float32)},
            'input "images" has the shape [3], the signature says float32[N, 2]; deep in the graph',
        ),
        (
            {"images": np.ones((0, 2), np.float32)},
            'input "images" has no rows, send at least one; deep in the graph',
        ),
    ],
)
def test_inputs_that_do_not_fit(changes: dict[str, np.ndarray | None], message: str) -> None:
    assert failure(inputs(**changes)) == message


def test_a_shape_that_the_graph_takes_is_fine() -> None:
    assert predict(FakeServable(), "add", inputs(images=np.ones((1, 5), np.float32)))["sum"] == 6


def test_outputs_that_are_not_there() -> None:
    assert failure(inputs(), ["product"]) == (
        "output tensor alias not found in signature: product Outputs expected to be in the set "
        "{copy,sum}."
    )
    assert failure(inputs(), ["sum", "sum"]) == "duplicate output tensor alias: sum"
