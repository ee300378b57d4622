"""Answers requests on the models of a manager, and measures them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from services.model_server.errors import invalid_argument
from services.model_server.inference.metrics import Metrics
from services.model_server.models.manager import Lease, ModelManager
from services.model_server.operations.example_inference import (
    answer_classify,
    answer_multi_inference,
    answer_regress,
    count_examples,
)
from services.model_server.operations.predict import DEFAULT_SIGNATURE
from services.model_server.operations.predict_proto import answer_predict
from services.serving_api.protos import (
    classification_pb2,
    inference_pb2,
    model_pb2,
    predict_pb2,
    regression_pb2,
)


@dataclass(frozen=True)
class InferenceOptions:
    """What the command line says about requests.

    Attributes:
        check_method_names: refuse Classify and Regress where the signature says another method.
        tensor_content: answer Predict in `tensor_content` whatever the form of the request.
    """

    check_method_names: bool = False
    tensor_content: bool = False


class Inference:
    """PredictionService without a network: finds the version asked for, runs it, measures it.

    Every call raises a ServingError for what the client is to know.
    """

    def __init__(
        self,
        manager: ModelManager,
        entrypoint: str,
        metrics: Metrics,
        options: InferenceOptions = InferenceOptions(),
    ) -> None:
        """Serve from a manager; `entrypoint`, for the metrics, is `GRPC` or `REST`."""
        self.manager = manager
        self.metrics = metrics
        self._requests = metrics.requests
        self._entrypoint = entrypoint
        self._options = options

    @contextmanager
    def lease(self, spec: model_pb2.ModelSpec, api: str) -> Iterator[Lease]:
        """Lend the servable that a request asks for, and measure what is done with it."""
        signature = spec.signature_name or DEFAULT_SIGNATURE
        with (
            self._requests.request(spec, signature, api, self._entrypoint) as measured,
            self.manager.lease(spec) as lease,
        ):
            if signature in lease.servable.signatures:
                measured.version = lease.version
            with self._requests.runtime(spec.name, api):
                yield lease

    def predict(self, request: predict_pb2.PredictRequest) -> predict_pb2.PredictResponse:
        """Run a signature on tensors."""
        tensor_content = self._options.tensor_content
        with self.lease(_spec(request), "Predict") as (servable, version):
            return answer_predict(servable, version, request, tensor_content=tensor_content)

    def classify(
        self, request: classification_pb2.ClassificationRequest
    ) -> classification_pb2.ClassificationResponse:
        """Run a signature on examples and return the classes of each."""
        check = self._options.check_method_names
        with self.lease(_spec(request), "Classify") as (servable, version):
            response = answer_classify(servable, version, request, check_method_names=check)
        self._requests.examples(request.model_spec.name, count_examples(request.input))
        return response

    def regress(
        self, request: regression_pb2.RegressionRequest
    ) -> regression_pb2.RegressionResponse:
        """Run a signature on examples and return the value of each."""
        check = self._options.check_method_names
        with self.lease(_spec(request), "Regress") as (servable, version):
            response = answer_regress(servable, version, request, check_method_names=check)
        self._requests.examples(request.model_spec.name, count_examples(request.input))
        return response

    def multi_inference(
        self, request: inference_pb2.MultiInferenceRequest
    ) -> inference_pb2.MultiInferenceResponse:
        """Run several signatures of one model on the same examples."""
        if not request.tasks:
            raise invalid_argument("Inference request is empty: it has no tasks")
        check = self._options.check_method_names
        spec = request.tasks[0].model_spec
        with self.lease(spec, "MultiInference") as (servable, version):
            response = answer_multi_inference(servable, version, request, check_method_names=check)
        self._requests.examples(spec.name, count_examples(request.input))
        return response


def _spec(
    request: predict_pb2.PredictRequest
    | classification_pb2.ClassificationRequest
    | regression_pb2.RegressionRequest,
) -> model_pb2.ModelSpec:
    if not request.HasField("model_spec"):
        raise invalid_argument("Missing ModelSpec")
    return request.model_spec
