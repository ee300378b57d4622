"""The Open Inference Protocol's service, which clients of KServe and Triton call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any

import grpc
import numpy as np

from services.model_server.errors import ServingError, invalid_argument
from services.model_server.grpc_api.errors import answers_errors, time_remaining
from services.model_server.grpc_api.infer_messages import (
    check_no_shared_memory,
    read_inputs,
    read_parameter,
    read_signature_name,
    write_response,
)
from services.model_server.grpc_api.open_inference_proto import messages
from services.model_server.inference.data_plane import DataPlane
from services.model_server.models.model import State
from services.model_server.models.model_control import ModelControl
from services.model_server.models.server_core import ServerCore
from services.model_server.operations.predict import add_defaults, find_signature, predict
from services.model_server.servables.servable import Servable
from services.serving_api.open_inference import (
    OpenInferenceError,
    classification_strings,
    datatype_of,
    shape_of,
)
from services.serving_api.protos import model_pb2
from services.serving_api.signatures import DEFAULT_SIGNATURE, TensorSpec

_MAX_VERSION = 2**63 - 1
_LABELS_SIGNATURE = "class_labels"


class InferenceService:
    """The calls of the protocol and of its model repository extension."""

    def __init__(self, core: ServerCore, data_plane: DataPlane) -> None:
        self._control = ModelControl(core)
        self._manager = core.manager
        self._data_plane = data_plane

    @answers_errors
    def ServerLive(self, _request: Any, _context: grpc.ServicerContext) -> Any:  # noqa: N802
        """Answers true: the process serves."""
        return messages.ServerLiveResponse(live=True)

    @answers_errors
    def ServerReady(self, _request: Any, _context: grpc.ServicerContext) -> Any:  # noqa: N802
        """Tells whether every configured model can answer."""
        return messages.ServerReadyResponse(ready=self._manager.is_ready())

    @answers_errors
    def ModelReady(self, request: Any, _context: grpc.ServicerContext) -> Any:  # noqa: N802
        """Tells whether a model can answer; one that is not served cannot."""
        spec = _model_spec(request.name, request.version)
        number = spec.version.value if spec.HasField("version") else None
        if spec.version_label:
            number = self._manager.labels(spec.name).get(spec.version_label, -1)
        statuses = self._manager.statuses_if_any(spec.name, number)
        return messages.ModelReadyResponse(
            ready=any(status.state == State.AVAILABLE for status in statuses)
        )

    @answers_errors
    def ServerMetadata(self, _request: Any, _context: grpc.ServicerContext) -> Any:  # noqa: N802
        """Answers the server's name and version, and the extensions of the protocol."""
        return messages.ServerMetadataResponse(
            name="lectern",
            version=version("lectern"),
            extensions=["classification", "model_repository"],
        )

    @answers_errors
    def ModelMetadata(self, request: Any, _context: grpc.ServicerContext) -> Any:  # noqa: N802
        """Answers the available versions of a model, and the tensors of its default signature."""
        spec = _model_spec(request.name, request.version)
        with self._manager.lease(spec) as (servable, _):
            signature = find_signature(servable, DEFAULT_SIGNATURE)
        statuses = self._manager.statuses_if_any(spec.name)
        return messages.ModelMetadataResponse(
            name=spec.name,
            versions=[str(each.version) for each in statuses if each.state == State.AVAILABLE],
            platform="tensorflow_savedmodel",
            inputs=_describe(signature.inputs),
            outputs=_describe(signature.outputs),
        )

    @answers_errors
    def ModelInfer(self, request: Any, _context: grpc.ServicerContext) -> Any:  # noqa: N802
        """Runs a signature on tensors."""
        with _invalid_arguments():
            return self._infer(request)

    @answers_errors
    def RepositoryIndex(self, request: Any, _context: grpc.ServicerContext) -> Any:  # noqa: N802
        """Lists the models that can be loaded, and the states of their versions."""
        entries = self._control.index(ready_only=request.ready)
        return messages.RepositoryIndexResponse(models=[entry._asdict() for entry in entries])

    @answers_errors
    def RepositoryModelLoad(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """Loads a model, and answers when it is available."""
        self._control.load(request.model_name, time_remaining(context), request.parameters)
        return messages.RepositoryModelLoadResponse()

    @answers_errors
    def RepositoryModelUnload(  # noqa: N802
        self, request: Any, context: grpc.ServicerContext
    ) -> Any:
        """Unloads a model, and answers when no request runs on it any more."""
        self._control.unload(request.model_name, time_remaining(context))
        return messages.RepositoryModelUnloadResponse()

    def _infer(self, request: Any) -> Any:
        spec = _model_spec(request.model_name, request.model_version)
        spec.signature_name = read_signature_name(request)
        class_counts = _read_class_counts(request.outputs)
        check_no_shared_memory([*request.inputs, *request.outputs])
        # Here too, so that the metrics count them as what they are.
        with self._data_plane.lease(spec, "Predict") as (servable, number), _invalid_arguments():
            received = read_inputs(request, find_signature(servable, spec.signature_name))
            inputs = add_defaults(servable, spec.signature_name, received)
            wanted = [output.name for output in request.outputs]
            outputs = predict(servable, spec.signature_name, inputs, wanted)
            for name, count in class_counts.items():
                scores = outputs[name]
                labels = _class_labels(servable, scores.shape[-1] if scores.ndim else 0)
                outputs[name] = classification_strings(name, scores, count, labels)
        return write_response(request, number, outputs)


@contextmanager
def _invalid_arguments() -> Iterator[None]:
    try:
        yield
    except OpenInferenceError as error:
        raise invalid_argument(str(error)) from None


def _model_spec(name: str, version_or_label: str) -> model_pb2.ModelSpec:
    """Names a model by its version or, where that is no number, by a label."""
    spec = model_pb2.ModelSpec(name=name)
    if not version_or_label.isdecimal():
        if version_or_label:
            spec.version_label = version_or_label
    elif len(version_or_label) > len(str(_MAX_VERSION)) or int(version_or_label) > _MAX_VERSION:
        raise invalid_argument(f"received the version {version_or_label}, expected an int64")
    else:
        spec.version.value = int(version_or_label)
    return spec


def _read_class_counts(outputs: Sequence[Any]) -> dict[str, int]:
    """Returns how many classes each output is to be ranked by, where the request says so."""
    counts = {each.name: read_parameter(each, "classification", int, None) for each in outputs}
    return {name: count for name, count in counts.items() if count is not None}


def _class_labels(servable: Servable, count: int) -> list[str]:
    """Returns the names of so many classes; none where the model does not tell them."""
    if _LABELS_SIGNATURE not in servable.signatures:
        return []
    inputs = {"class_index": np.arange(count, dtype=np.int32)}
    try:
        answer = predict(servable, _LABELS_SIGNATURE, inputs, ["label"])
    except ServingError:
        return []
    return [label.decode(errors="replace") for label in answer["label"].tolist()]


def _describe(specs: Mapping[str, TensorSpec]) -> list[Any]:
    return [
        messages.ModelMetadataResponse.TensorMetadata(
            name=name, datatype=datatype_of(spec.data_type), shape=shape_of(spec)
        )
        for name, spec in specs.items()
    ]
