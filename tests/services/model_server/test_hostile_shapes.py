"""No tensor that a client sends ends the process: the server runs on the committed models."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import grpc
import numpy as np
import pytest
import requests

from services.serving_api.dtypes import DTYPES
from services.serving_api.protos import (
    get_model_metadata_pb2,
    predict_pb2,
    prediction_service_pb2_grpc,
)
from services.serving_api.signatures import Signature, TensorSpec, signatures_of
from services.serving_api.tensors import to_tensor_proto
from tests.processes import ROOT, Running, free_port, module, running, wait_until

MODELS = ["cnn", "codec", "gru", "vae_conv"]
"""One of each kind of network and task: the others differ in their weights, or in their size."""

RANKS = range(7)
EXTREMES = [np.nan, np.inf, -np.inf, 3e38, -(2**63), 2**63 - 1]


class Hostile(NamedTuple):
    """A server as a process, and the ways to it."""

    process: Running
    prediction: prediction_service_pb2_grpc.PredictionServiceStub
    url: str

    def outcome(
        self, model: str, signature_name: str, inputs: Mapping[str, np.ndarray]
    ) -> grpc.StatusCode:
        """Send one request and return its status; UNAVAILABLE would be the end of the process."""
        request = predict_pb2.PredictRequest()
        request.model_spec.name = model
        request.model_spec.signature_name = signature_name
        for name, array in inputs.items():
            request.inputs[name].CopyFrom(to_tensor_proto(array))
        try:
            self.prediction.Predict(request, timeout=60)
        except grpc.RpcError as error:
            return error.code()
        return grpc.StatusCode.OK

    def signatures(self, model: str) -> dict[str, Signature]:
        request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
        request.model_spec.name = model
        return signatures_of(self.prediction.GetModelMetadata(request, timeout=60))


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hostile]:
    grpc_port, rest_port = free_port(), free_port()
    config = tmp_path_factory.mktemp("hostile") / "models.config"
    config.write_text(_config(MODELS))
    command = module(
        "services.model_server",
        f"--port={grpc_port}",
        f"--rest_api_port={rest_port}",
        f"--model_config_file={config}",
        "--enable_model_warmup=false",
    )
    with (
        running(*command) as process,
        grpc.insecure_channel(f"localhost:{grpc_port}") as channel,
    ):
        process.wait_for_line("ports open")
        prediction = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        hostile = Hostile(process, prediction, f"http://localhost:{rest_port}/v1/models")
        _wait_for_models(hostile)
        yield hostile
        assert process.process.poll() is None, process.output


def _config(models: list[str]) -> str:
    entries = "".join(
        f'config {{ name: "{name}" base_path: "{ROOT / "models" / name}" '
        'model_platform: "tensorflow" }'
        for name in models
    )
    return f"model_config_list {{ {entries} }}"


def _wait_for_models(hostile: Hostile) -> None:
    def is_served(model: str) -> bool:
        return requests.get(f"{hostile.url}/{model}/metadata", timeout=60).status_code == 200

    wait_until(lambda: all(map(is_served, MODELS)), 300, "the models are served")


def _full(spec: TensorSpec, shape: tuple[int, ...], value: float = 0) -> np.ndarray:
    dtype = DTYPES[spec.data_type].numpy
    if dtype.hasobject:
        return np.full(shape, b"x", np.object_)
    with np.errstate(all="ignore"):
        return np.full(shape, value).astype(dtype)


def _own_shape(spec: TensorSpec) -> tuple[int, ...]:
    return tuple(size or 1 for size in spec.shape or ())


def _hostile_inputs(signature: Signature) -> Iterator[dict[str, np.ndarray]]:
    specs = signature.inputs
    for rank in RANKS:
        yield {name: _full(spec, (1,) * rank) for name, spec in specs.items()}
    yield {name: _full(spec, (0,) * len(spec.shape or ())) for name, spec in specs.items()}
    for name, spec in specs.items():
        own = {each: _full(specs[each], _own_shape(specs[each])) for each in specs}
        for axis, size in enumerate(_own_shape(spec)):
            for other in (0, size + 1):
                shape = list(_own_shape(spec))
                shape[axis] = other
                yield own | {name: _full(spec, tuple(shape))}
    yield {
        name: np.concatenate([_full(spec, _own_shape(spec), value) for value in EXTREMES])
        for name, spec in specs.items()
    }


@pytest.mark.parametrize("model", MODELS)
def test_every_signature_outlives_every_shape(hostile: Hostile, model: str) -> None:
    expected = {grpc.StatusCode.OK, grpc.StatusCode.INVALID_ARGUMENT}
    for name, signature in hostile.signatures(model).items():
        for inputs in _hostile_inputs(signature) if signature.inputs else ():
            outcome = hostile.outcome(model, name, inputs)
            shapes = {each: array.shape for each, array in inputs.items()}
            assert outcome in expected, (name, shapes, outcome)
    assert hostile.process.process.poll() is None


@pytest.mark.parametrize("instance", ["1.0", "[1.0]", "[[1.0]]", "[[[[[1.0]]]]]"])
def test_by_rest_the_expected_shape_is_named(hostile: Hostile, instance: str) -> None:
    body = f'{{"instances": [{instance}]}}'
    response = requests.post(f"{hostile.url}/cnn:predict", body, timeout=60)
    assert response.status_code == 400
    message = response.json()["error"]
    shape = str([1] * (instance.count("[") + 1))
    assert f'"images" has the shape {shape}, the signature says float32[N, 28, 28, 1]' in message
