"""What stays in memory after a request is bounded: caches, metrics, connections."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from services.serving_api.protos import predict_pb2
from services.serving_api.tensors import to_tensor_proto
from tests.hostile.engine import MEGABYTE, measured
from tests.hostile.requests import PREDICTION, Grpc, Http, Request
from tests.hostile.surfaces import JSON_TYPE, signatures
from tests.stack import Stack

pytestmark = pytest.mark.hostile


def send(stack: Stack, requests: list[Request], statuses: set[int | str]) -> None:
    for request in requests:
        assert (status := request.send(stack)) in statuses, (status, repr(request)[:300])


def test_choices_of_outputs(stack: Stack):
    """Each could stay compiled; once a few are, others take no more memory."""
    outputs = sorted(signatures(stack, "many")["serving_default"].outputs)
    subsets = [each for size in range(1, len(outputs)) for each in combinations(outputs, size)]
    numbers = to_tensor_proto(np.ones(2, np.float32))

    def predict(wanted: tuple[str, ...]) -> Grpc:
        request = predict_pb2.PredictRequest(output_filter=wanted)
        request.model_spec.name = "many"
        request.inputs["x"].CopyFrom(numbers)
        return Grpc(f"{PREDICTION}/Predict", request.SerializeToString())

    send(stack, [predict(each) for each in subsets[:100]], {"OK"})
    with measured(stack, 8 * MEGABYTE, 30):
        send(stack, [predict(each) for each in subsets[100:500]], {"OK"})


@pytest.mark.parametrize("service", ["gateway", "rest"])
def test_names_of_models_that_are_not_there(service: str, stack: Stack):
    """Names of 4 KB, of which each could become a label of a metric."""
    body = b'{"instances":[1]}'
    requests = [
        Http(service, f"/v1/models/{number:04}{'a' * 4000}:predict", body, JSON_TYPE)
        for number in range(2500)
    ]
    send(stack, requests[:500], {404})  # Caches of a few hundred paths are filled.
    with measured(stack, 5 * MEGABYTE, 60):
        send(stack, requests[500:], {404})


def test_names_of_models_that_are_not_there_by_grpc(stack: Stack):
    names = [f"{number:04}{'a' * 4000}" for number in range(5000)]
    requests = [
        Grpc(
            f"{PREDICTION}/Predict",
            predict_pb2.PredictRequest(model_spec={"name": name}).SerializeToString(),
        )
        for name in names
    ]
    with measured(stack, 16 * MEGABYTE, 60):
        send(stack, requests, {"NOT_FOUND"})


def test_paths_methods_and_signatures_that_are_not_there(stack: Stack):
    requests = [
        request
        for number in range(1000)
        for request in (
            Http("gateway", f"/{number:04}{'a' * 3000}", method="GET"),
            Http("gateway", "/v1/models", method=f"A{number:04}"),
            Http(
                "gateway",
                "/v1/models/cnn:predict",
                b'{"instances":[1],"signature_name":"%04d%s"}' % (number, b"a" * 3000),
                JSON_TYPE,
            ),
        )
    ]
    with measured(stack, 12 * MEGABYTE, 60):
        send(stack, requests, {400, 404, 405, 501})
