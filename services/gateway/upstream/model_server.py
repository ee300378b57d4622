"""The client of the model server: TensorFlow Serving's gRPC API with numpy arrays.

Source: https://github.com/tensorflow/serving/tree/master/tensorflow_serving/apis
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

import grpc
import structlog

from services.gateway.request.context import RequestContext
from services.gateway.request.errors import DeadlineExceeded, ModelServerProblem, Problem
from services.gateway.telemetry.metrics import MODEL_DURATION, MODEL_REQUESTS
from services.gateway.upstream.channel import open_channel
from services.serving_api.arrays import Arrays
from services.serving_api.protos import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    input_pb2,
    model_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
    regression_pb2,
)
from services.serving_api.tensors import to_ndarray, to_tensor_proto

_Response = TypeVar("_Response")

log = structlog.get_logger()


class ModelRef(NamedTuple):
    """Reference to a model: its latest version, a certain version, or the version of a label."""

    name: str
    version: int | None = None
    label: str | None = None

    def spec(self, signature_name: str = "") -> model_pb2.ModelSpec:
        """Returns the reference as a protocol message."""
        spec = model_pb2.ModelSpec(name=self.name, signature_name=signature_name)
        if self.version is not None:
            spec.version.value = self.version
        elif self.label is not None:
            spec.version_label = self.label
        return spec


class Prediction(NamedTuple):
    """The outputs of a signature.

    Attributes:
        outputs: the arrays by output name.
        version: the model version that answered.
    """

    outputs: Arrays
    version: int


class ModelServer:
    """One channel to one model server.

    gRPC does not survive a fork, so create it in the process that uses it.

    Every method takes the context of the request that the call is made for. It raises
    ModelServerProblem if the server rejects the call, or at once (503) if the server cannot be
    reached; and DeadlineExceeded if the request's deadline passes before the answer.

    Args:
        address: `host:port`, or any name that gRPC resolves (`dns:///…`, `unix:…`).
        credentials: TLS credentials; None for an unencrypted connection.
    """

    def __init__(self, address: str, credentials: grpc.ChannelCredentials | None = None) -> None:
        self._channel = open_channel(address, credentials)
        self._prediction_service = prediction_service_pb2_grpc.PredictionServiceStub(self._channel)
        self._model_service = model_service_pb2_grpc.ModelServiceStub(self._channel)

    def predict(
        self,
        model: ModelRef,
        signature_name: str,
        inputs: Arrays,
        context: RequestContext,
        outputs: Sequence[str] = (),
    ) -> Prediction:
        """Runs a signature; it must exist, since its name becomes a label of the metrics.

        Args:
            model: the model.
            signature_name: the signature.
            inputs: its inputs.
            context: the request.
            outputs: the outputs to compute; all if empty.
        """
        request = predict_pb2.PredictRequest(
            model_spec=model.spec(signature_name),
            inputs={name: to_tensor_proto(array) for name, array in inputs.items()},
            output_filter=outputs,
        )
        start = time.perf_counter()
        version, code = "", grpc.StatusCode.OK
        try:
            response = _call(self._prediction_service.Predict, request, context)
            version = str(response.model_spec.version.value)
        except ModelServerProblem as problem:
            code = problem.grpc_code
            raise
        except DeadlineExceeded:
            code = grpc.StatusCode.DEADLINE_EXCEEDED
            raise
        finally:
            seconds = time.perf_counter() - start
            MODEL_DURATION.labels(model.name, signature_name).observe(seconds)
            MODEL_REQUESTS.labels(model.name, version, signature_name, code.name).inc()
        arrays = {name: to_ndarray(proto) for name, proto in response.outputs.items()}
        return Prediction(arrays, response.model_spec.version.value)

    def classify(
        self,
        model: ModelRef,
        signature_name: str,
        examples: input_pb2.Input,
        context: RequestContext,
    ) -> classification_pb2.ClassificationResult:
        """Returns the classes of each example with their scores."""
        request = classification_pb2.ClassificationRequest(
            model_spec=model.spec(signature_name), input=examples
        )
        return _call(self._prediction_service.Classify, request, context).result

    def regress(
        self,
        model: ModelRef,
        signature_name: str,
        examples: input_pb2.Input,
        context: RequestContext,
    ) -> regression_pb2.RegressionResult:
        """Returns the value of each example."""
        request = regression_pb2.RegressionRequest(
            model_spec=model.spec(signature_name), input=examples
        )
        return _call(self._prediction_service.Regress, request, context).result

    def metadata(
        self, model: ModelRef, context: RequestContext
    ) -> get_model_metadata_pb2.GetModelMetadataResponse:
        """Returns the signatures of a model."""
        request = get_model_metadata_pb2.GetModelMetadataRequest(
            model_spec=model.spec(), metadata_field=["signature_def"]
        )
        return _call(self._prediction_service.GetModelMetadata, request, context)

    def status(
        self, model: ModelRef, context: RequestContext
    ) -> get_model_status_pb2.GetModelStatusResponse:
        """Returns the versions of a model and their states."""
        request = get_model_status_pb2.GetModelStatusRequest(model_spec=model.spec())
        return _call(self._model_service.GetModelStatus, request, context)

    def close(self) -> None:
        """Closes the channel; calls in flight fail."""
        self._channel.close()


def available_versions(response: get_model_status_pb2.GetModelStatusResponse) -> list[int]:
    """Returns the available versions in a model's status."""
    return [
        status.version
        for status in response.model_version_status
        if status.state == get_model_status_pb2.ModelVersionStatus.AVAILABLE
    ]


def _call(method: Callable[..., _Response], request: object, context: RequestContext) -> _Response:
    timeout = context.deadline - time.monotonic()
    if timeout <= 0:
        raise DeadlineExceeded
    try:
        return method(request, timeout=timeout, metadata=context.trace)
    except grpc.RpcError as error:
        raise _problem(error.code(), error.details(), timeout, context) from error


def _problem(
    code: grpc.StatusCode, details: str, timeout: float, context: RequestContext
) -> Problem:
    match code:
        case grpc.StatusCode.UNAVAILABLE:
            # Only logged, since gRPC's message contains addresses, which clients must not see.
            log.warning("model server unavailable", details=details, **context.log_members)
            return ModelServerProblem(
                code,
                "the model server cannot be reached or is not ready: try again in a moment; if "
                "this persists, check that it runs and that LECTERN_MODEL_SERVER is its address",
            )
        case grpc.StatusCode.DEADLINE_EXCEEDED:
            return DeadlineExceeded(
                f"the model server did not answer within {timeout:.1f} s: send less in one "
                "request, or raise LECTERN_TIMEOUT_SECONDS"
            )
        case grpc.StatusCode.NOT_FOUND:
            return ModelServerProblem(code, f"{details}; GET /v1/models lists what is served")
    return ModelServerProblem(code, details)
