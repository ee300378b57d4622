"""The one door to the models, which gRPC, REST and warm-up all go through.

request ──► DataPlane: count it, lease the version that it asks for
└──► operations: check the request against its signature, run it, check the answer
└──► batching (if enabled) ──► servables: TensorFlow runs the graph
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from google.protobuf import wrappers_pb2

from services.model_server.errors import ServingError, invalid_argument
from services.model_server.inference.metrics import Metrics
from services.model_server.models.describe import describe_signatures
from services.model_server.models.manager import Lease
from services.model_server.operations.example_inference import (
    CLASSIFY,
    REGRESS,
    check_tasks,
    count_examples,
    run_on_examples,
)
from services.model_server.operations.predict import (
    add_defaults,
    find_signature,
    predict,
)
from services.model_server.operations.predict_messages import read_inputs, write_outputs
from services.serving_api.arrays import Arrays
from services.serving_api.protos import (
    classification_pb2,
    error_codes_pb2,
    get_model_metadata_pb2,
    inference_pb2,
    model_pb2,
    predict_pb2,
    regression_pb2,
)
from services.serving_api.signatures import DEFAULT_SIGNATURE, Signature


class Models(Protocol):
    """The models that a data plane serves."""

    def lease(self, spec: model_pb2.ModelSpec) -> AbstractContextManager[Lease]:
        """Lends the servable that a request asks for; raises ServingError if there is none."""

    def knows(self, name: str) -> bool:
        """Tells whether a model of this name was ever configured."""


@dataclass(frozen=True)
class DataPlaneOptions:
    """The flags about requests.

    Attributes:
        check_method_names: refuse Classify and Regress where the signature has another method.
        tensor_content: answer Predict in `tensor_content` whatever the form of the request.
    """

    check_method_names: bool = False
    tensor_content: bool = False


class Inferred(NamedTuple):
    """The outputs of a signature, and the version and the signature that computed them."""

    outputs: Arrays
    signature: Signature
    model_spec: model_pb2.ModelSpec


class DataPlane:
    """PredictionService without a network: leases the version asked for, runs it, measures it.

    Every call raises ServingError for the client.
    """

    def __init__(
        self,
        models: Models,
        entrypoint: str,
        metrics: Metrics,
        options: DataPlaneOptions = DataPlaneOptions(),
    ) -> None:
        """Makes a data plane.

        Args:
            models: the models.
            entrypoint: the label of its requests in the metrics, `GRPC` or `REST`.
            metrics: counts and times requests.
            options: the flags about requests.
        """
        self.metrics = metrics
        self._models = models
        self._requests = metrics.requests
        self._entrypoint = entrypoint
        self._options = options
        self._is_closed = False

    def close(self) -> None:
        """Answers new requests with UNAVAILABLE, since the server stops."""
        self._is_closed = True

    @contextmanager
    def lease(self, spec: model_pb2.ModelSpec, api: str) -> Iterator[Lease]:
        """Lends the servable that a request asks for, and measures what is done with it.

        For requests that run several signatures; the others have methods of their own.

        Args:
            spec: the model, its version or label, and the signature, if not the default one.
            api: the label of the request in the metrics.
        """
        if self._is_closed:
            raise ServingError(error_codes_pb2.UNAVAILABLE, "the server is stopping")
        signature = spec.signature_name or DEFAULT_SIGNATURE
        # Any other name that a client makes up would stay in the metrics for ever.
        model = spec.name if self._models.knows(spec.name) else ""
        with (
            self._requests.request(model, signature, api, self._entrypoint) as measured,
            self._models.lease(spec) as lease,
        ):
            if signature in lease.servable.signatures:
                measured.version = lease.version
            with self._requests.runtime(model, api):
                yield lease

    def infer(
        self,
        spec: model_pb2.ModelSpec,
        read: Callable[[Signature], Arrays],
        output_filter: Sequence[str] = (),
        *,
        use_defaults: bool = False,
    ) -> Inferred:
        """Runs a signature on arrays.

        Args:
            spec: the model, its version or label, and the signature, if not the default one.
            read: reads the inputs of the request for this signature.
            output_filter: the outputs to compute; all if empty.
            use_defaults: inputs that have a default value may be left out.
        """
        name = spec.signature_name or DEFAULT_SIGNATURE
        with self.lease(spec, "Predict") as (servable, version):
            # Before the inputs are read: an unknown signature is the more telling error.
            signature = find_signature(servable, name)
            inputs = read(signature)
            if use_defaults:
                inputs = add_defaults(servable, name, inputs)
            outputs = predict(servable, name, inputs, output_filter)
        return Inferred(outputs, signature, _resolved(spec, version, name))

    def predict(self, request: predict_pb2.PredictRequest) -> predict_pb2.PredictResponse:
        """Runs a signature on tensors.

        The answer has the form of the request: a client that sends `tensor_content` gets it back,
        one that sends typed fields (`float_val`, …) gets those, as from TensorFlow Serving.
        """
        outputs, signature, model_spec = self.infer(
            _spec(request),
            lambda _: read_inputs(request.inputs),
            list(request.output_filter),
            use_defaults=True,
        )
        tensor_content = self._options.tensor_content or any(
            proto.tensor_content for proto in request.inputs.values()
        )
        response = predict_pb2.PredictResponse(model_spec=model_spec)
        write_outputs(response.outputs, outputs, signature, typed_fields=not tensor_content)
        return response

    def classify(
        self, request: classification_pb2.ClassificationRequest
    ) -> classification_pb2.ClassificationResponse:
        """Runs a signature on examples and returns the classes of each."""
        spec = _spec(request)
        check = self._options.check_method_names
        with self.lease(spec, "Classify") as (servable, version):
            result = run_on_examples(servable, spec, request.input, CLASSIFY, check_method=check)
        self._requests.examples(spec.name, count_examples(request.input))
        model_spec = _resolved(spec, version, spec.signature_name)
        return classification_pb2.ClassificationResponse(model_spec=model_spec, result=result)

    def regress(
        self, request: regression_pb2.RegressionRequest
    ) -> regression_pb2.RegressionResponse:
        """Runs a signature on examples and returns the value of each."""
        spec = _spec(request)
        check = self._options.check_method_names
        with self.lease(spec, "Regress") as (servable, version):
            result = run_on_examples(servable, spec, request.input, REGRESS, check_method=check)
        self._requests.examples(spec.name, count_examples(request.input))
        model_spec = _resolved(spec, version, spec.signature_name)
        return regression_pb2.RegressionResponse(model_spec=model_spec, result=result)

    def multi_inference(
        self, request: inference_pb2.MultiInferenceRequest
    ) -> inference_pb2.MultiInferenceResponse:
        """Runs several signatures of one model on the same examples, one after the other."""
        if not request.tasks:
            raise invalid_argument("Inference request is empty: it has no tasks")
        check = self._options.check_method_names
        spec = request.tasks[0].model_spec
        response = inference_pb2.MultiInferenceResponse()
        with self.lease(spec, "MultiInference") as (servable, version):
            check_tasks(servable, request.tasks)
            for task in request.tasks:
                method = task.method_name
                name = task.model_spec.signature_name or DEFAULT_SIGNATURE
                entry = response.results.add(model_spec=_resolved(task.model_spec, version, name))
                is_classify = method == CLASSIFY
                result = entry.classification_result if is_classify else entry.regression_result
                result.CopyFrom(
                    run_on_examples(
                        servable, task.model_spec, request.input, method, check_method=check
                    )
                )
        self._requests.examples(spec.name, count_examples(request.input))
        return response

    def metadata(
        self, spec: model_pb2.ModelSpec
    ) -> get_model_metadata_pb2.GetModelMetadataResponse:
        """Returns the signatures of a model as it states them."""
        with self._models.lease(spec) as (servable, version):
            return describe_signatures(servable, _resolved(spec, version, ""))


def _spec(
    request: predict_pb2.PredictRequest
    | classification_pb2.ClassificationRequest
    | regression_pb2.RegressionRequest,
) -> model_pb2.ModelSpec:
    if not request.HasField("model_spec"):
        raise invalid_argument("Missing ModelSpec")
    return request.model_spec


def _resolved(spec: model_pb2.ModelSpec, version: int, signature_name: str) -> model_pb2.ModelSpec:
    """Returns the version that answered, whichever way the request named it."""
    return model_pb2.ModelSpec(
        name=spec.name,
        signature_name=signature_name,
        version=wrappers_pb2.Int64Value(value=version),
    )
