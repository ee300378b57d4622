"""What one call may ask of a model is the same for every call."""

from __future__ import annotations

import io
from contextlib import ExitStack

import numpy as np
import pytest

from services.gateway.app import create_app
from services.gateway.inference.limits import MOST_EXAMPLES, ExpensiveCalls, check_amount
from services.gateway.inference.resolution import ResolvedRequest, Resolver
from services.gateway.request.context import RequestContext
from services.gateway.request.errors import ContentTooLarge, NotReady
from services.gateway.upstream.catalog import ModelInfo
from services.gateway.upstream.model_server import ModelRef
from services.serving_api.protos import types_pb2
from services.serving_api.signatures import Signature, TensorSpec
from tests.services.gateway.images import GREY, PNG
from tests.services.gateway.problems import assert_problem

IMAGE = GREY[..., np.newaxis].tolist()
TWO_NUMBERS = Signature(
    {},
    {
        "pair": TensorSpec(types_pb2.DT_FLOAT, (None, 2)),
        "free": TensorSpec(types_pb2.DT_FLOAT, (None, None)),
        "any": TensorSpec(types_pb2.DT_FLOAT, None),
    },
    "",
)


def by_task(client, count: int):
    files = [(io.BytesIO(PNG), "a.png") for _ in range(count)]
    return client.post("/v1/models/classifier:saliency", data={"files": files})


def by_tensorflow_servings_json(client, count: int):
    instances = [{"images": IMAGE, "class_index": 0}] * count
    body = {"signature_name": "saliency_gradient", "instances": instances}
    return client.post("/v1/models/classifier:predict", json=body)


def by_the_open_inference_protocol(client, count: int):
    tensors = [
        {
            "name": "images",
            "shape": [count, 28, 28, 1],
            "datatype": "FP32",
            "data": [IMAGE] * count,
        },
        {"name": "class_index", "shape": [count], "datatype": "INT32", "data": [0] * count},
    ]
    body = {"parameters": {"signature_name": "saliency_gradient"}, "inputs": tensors}
    return client.post("/v2/models/classifier/infer", json=body)


@pytest.mark.parametrize(
    "send", [by_task, by_tensorflow_servings_json, by_the_open_inference_protocol]
)
def test_expensive_signatures_take_a_limited_number_of_examples(settings, model_server, fake, send):
    changed = settings.model_copy(update={"max_body_bytes": 2**20})
    client = create_app(changed, model_server).test_client()
    assert send(client, MOST_EXAMPLES).status_code == 200
    fake.requests.clear()
    response = send(client, MOST_EXAMPLES + 1)
    assert_problem(response, 413, "65 examples", "'saliency_gradient'", "at most 64", "send fewer")
    # The gateway may have looked up the names of the classes again.
    asked = {request.model_spec.signature_name for request in fake.requests}
    assert "saliency_gradient" not in asked


class OneModel:
    """A catalog of one model, which has every signature that is asked for."""

    def __init__(self, name: str) -> None:
        self._info = ModelInfo("m", 1, {name: TWO_NUMBERS})

    def model(self, _ref: ModelRef, _context: RequestContext) -> ModelInfo:
        return self._info


def resolved(name: str) -> ResolvedRequest:
    resolver = Resolver(OneModel(name), {})
    return resolver.signature(RequestContext.lasting(5), ModelRef("m"), name)


@pytest.mark.parametrize(
    "name", ["saliency_gradient", "feature_visualization_conv1", "generate", "generate_text"]
)
def test_expensive_signatures(name):
    assert resolved(name).kind.expensive


@pytest.mark.parametrize("name", ["serving_default", "activations"])
def test_cheap_signatures(name):
    assert not resolved(name).kind.expensive


def test_of_other_signatures_nothing_is_known():
    assert resolved("generate_tokens").kind is None


def test_the_numbers_of_activations_are_reckoned_as_far_as_the_shapes_tell():
    inputs = {"x": np.zeros((3, 5)), "scalar": np.array(1)}
    check_amount(resolved("activations"), inputs, max_answer_numbers=6)
    with pytest.raises(ContentTooLarge, match=r"6 numbers, expected at most 5.*MAX_ANSWER_NUMBERS"):
        check_amount(resolved("activations"), inputs, max_answer_numbers=5)


def test_another_signatures_first_dimension_may_be_no_example():
    """Such as the samples of a sound, of which a model makes a few rows."""
    inputs = {"waveform": np.zeros(16_000, np.float32)}
    check_amount(resolved("serving_default"), inputs, max_answer_numbers=5)


def fill(calls: ExpensiveCalls, stack: ExitStack) -> int:
    """Take slots until there are none, or a hundred; return how many there were."""
    for count in range(100):
        try:
            stack.enter_context(calls.slot())
        except NotReady:
            return count
    return 100


def test_the_number_of_concurrent_expensive_calls_is_limited():
    calls = ExpensiveCalls(threads=16, max_calls=5)
    with ExitStack() as stack:
        assert fill(calls, stack) == 5
        with pytest.raises(NotReady, match="too many explanations"):
            stack.enter_context(calls.slot())


@pytest.mark.parametrize(("threads", "slots"), [(1, 1), (4, 2), (64, 8)])
def test_they_get_at_most_half_of_the_threads(threads, slots):
    with ExitStack() as stack:
        assert fill(ExpensiveCalls(threads, 8), stack) == slots


def test_slots_come_back_after_errors_too():
    calls = ExpensiveCalls(threads=2, max_calls=1)
    for _ in range(5):
        with pytest.raises(ZeroDivisionError), calls.slot():
            raise ZeroDivisionError
        with calls.slot(), pytest.raises(NotReady), calls.slot():
            pass
    with ExitStack() as stack:
        assert fill(calls, stack) == 1
