"""What the models are and can do, as the model server tells it; remembered for a short while."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import grpc
import numpy as np

from services.gateway.request.errors import InvalidRequest, ModelServerProblem, NotReady
from services.gateway.upstream.model_server import ModelRef, ModelServer
from services.serving_api.protos import get_model_status_pb2, types_pb2
from services.serving_api.signatures import Signature, signatures_of

DEFAULT_SIGNATURE = "serving_default"
LABELS_SIGNATURE = "class_labels"
SECONDS_TO_LIVE = 2.0

_Answer = TypeVar("_Answer")
_State = get_model_status_pb2.ModelVersionStatus.State
_ON_THE_WAY = {_State.START, _State.LOADING}


@dataclass(frozen=True)
class ModelInfo:
    """One version of a model and what it can do.

    Attributes:
        name: the model's name.
        version: the version that the reference stood for.
        signatures: by name.
        labels: the name of each class; empty where the model does not tell them.
    """

    name: str
    version: int
    signatures: Mapping[str, Signature]
    labels: Sequence[str] = ()

    def signature(self, name: str) -> Signature:
        """Return a signature.

        Raises:
            InvalidRequest: the model has no such signature.
        """
        if name not in self.signatures:
            raise InvalidRequest(
                f'Serving signature name: "{name}" not found in signature def: model '
                f"{self.name!r} version {self.version} has {sorted(self.signatures)}"
            )
        return self.signatures[name]

    def label(self, class_index: int) -> str | None:
        """Return the name of a class; None where the model does not tell it."""
        return self.labels[class_index] if class_index < len(self.labels) else None

    @property
    def classes(self) -> list[str | None]:
        """The name of every class, None where the model does not tell it; empty without any."""
        return [self.label(index) for index in range(self.class_count or 0)]

    @property
    def class_count(self) -> int | None:
        """How many classes a classifier tells apart; None where the model does not say."""
        default = self.signatures.get(DEFAULT_SIGNATURE)
        probabilities = default.outputs.get("probabilities") if default else None
        return probabilities.shape[-1] if probabilities and probabilities.shape else None


class Catalog:
    """The signatures of the models that are asked for.

    Args:
        model_server: whom to ask.
        model_names: the models that it is to serve; after a start it does not know them at once.
    """

    def __init__(self, model_server: ModelServer, model_names: Collection[str]) -> None:
        self._model_server = model_server
        self._model_names = model_names
        self._lock = threading.Lock()
        self._entries: dict[ModelRef, tuple[float, ModelInfo]] = {}

    def model(self, ref: ModelRef, timeout: float) -> ModelInfo:
        """Return what a model can do; while one thread asks anew, what is known will do for others.

        Raises:
            ModelServerProblem: there is no such model, or the model server does not answer.
            NotReady: the model is still loading.
        """
        with self._lock:
            expiry, known = self._entries.get(ref, (0.0, None))
            if known is not None:
                if time.monotonic() <= expiry:
                    return known
                self._keep(ref, known)
        try:
            info = self._ask(ref, timeout)
        except (ModelServerProblem, NotReady):
            self._entries.pop(ref, None)
            raise
        self._keep(ref, info)
        return info

    def call_if_loaded(self, ref: ModelRef, call: Callable[[], _Answer], timeout: float) -> _Answer:
        """Call a model; one that was not found, though it does not load, is called once more.

        It may have become available between the call and the look at its state.

        Raises:
            ModelServerProblem: the call's own, or the model server does not tell the state.
            NotReady: the model is still loading.
        """
        try:
            return call()
        except ModelServerProblem as problem:
            if problem.code != grpc.StatusCode.NOT_FOUND:
                raise
            if self._is_loading(ref, timeout):
                raise NotReady(
                    f"model {ref.name!r} is still loading: try again in a moment; "
                    f"GET /v1/models/{ref.name} tells its state"
                ) from problem
        return call()

    def _keep(self, ref: ModelRef, info: ModelInfo) -> None:
        self._entries[ref] = (time.monotonic() + SECONDS_TO_LIVE, info)

    def _ask(self, ref: ModelRef, timeout: float) -> ModelInfo:
        response = self.call_if_loaded(
            ref, lambda: self._model_server.metadata(ref, timeout), timeout
        )
        version = response.model_spec.version.value
        signatures = {
            name: signature
            for name, signature in signatures_of(response).items()
            # TensorFlow's own, such as the init op; no client can run them.
            if not name.startswith("__")
        }
        info = ModelInfo(ref.name, version, signatures)
        return replace(info, labels=self._labels(info, timeout))

    def _labels(self, info: ModelInfo, timeout: float) -> Sequence[str]:
        """Return the names of a model's classes, if it tells them; it serves without them too."""
        signature = info.signatures.get(LABELS_SIGNATURE)
        if info.class_count is None or signature is None or not _tells_labels(signature):
            return ()
        indices = np.arange(info.class_count, dtype=np.int32)
        try:
            answer = self._model_server.predict(
                ModelRef(info.name, info.version),
                LABELS_SIGNATURE,
                {"class_index": indices},
                timeout,
            )
        except ModelServerProblem:
            return ()
        return [label.decode(errors="replace") for label in answer.outputs["label"]]

    def _is_loading(self, ref: ModelRef, timeout: float) -> bool:
        try:
            response = self._model_server.status(ModelRef(ref.name), timeout)
        except ModelServerProblem as problem:
            if problem.code != grpc.StatusCode.NOT_FOUND:
                raise
            return ref.name in self._model_names
        return any(
            version.state in _ON_THE_WAY and ref.version in {None, version.version}
            for version in response.model_version_status
        )

    def notice(self, ref: ModelRef, version: int) -> None:
        """Forget what is known of a model if another version has answered."""
        _, info = self._entries.get(ref, (0.0, None))
        if info is not None and info.version != version:
            self._entries.pop(ref, None)


def _tells_labels(signature: Signature) -> bool:
    label = signature.outputs.get("label")
    return (
        signature.inputs.keys() == {"class_index"}
        and label is not None
        and label.data_type == types_pb2.DT_STRING
    )
