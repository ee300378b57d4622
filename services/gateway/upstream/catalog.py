"""Model catalog: the signatures and classes of models, remembered for a short while."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import grpc
import numpy as np
from cachetools import LRUCache

from services.gateway.request.context import RequestContext
from services.gateway.request.errors import DeadlineExceeded, ModelServerProblem, NotReady
from services.gateway.upstream.model_server import ModelRef, ModelServer
from services.serving_api.protos import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    types_pb2,
)
from services.serving_api.signatures import DEFAULT_SIGNATURE, Signature, signatures_of

LABELS_SIGNATURE = "class_labels"
SECONDS_TO_LIVE = 2.0
MAX_ENTRIES = 1024
"""References in memory; a model may be asked for by its name, by each version, by each label."""

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
    """The models that are asked for.

    Args:
        model_server: tells what the models can do.
        model_names: the models that it is to serve; right after its start it may not know them yet.
    """

    def __init__(self, model_server: ModelServer, model_names: Collection[str]) -> None:
        self._model_server = model_server
        self._model_names = model_names
        self._lock = threading.Lock()
        self._entries: LRUCache[ModelRef, tuple[float, ModelInfo]] = LRUCache(MAX_ENTRIES)

    def model(self, ref: ModelRef, context: RequestContext) -> ModelInfo:
        """Return what a model can do; while one thread asks anew, the others get what is known.

        Raises:
            DeadlineExceeded: the model server does not answer in time.
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
            info = self._ask(ref, context)
        except (DeadlineExceeded, ModelServerProblem, NotReady):
            with self._lock:
                self._entries.pop(ref, None)
            raise
        with self._lock:
            self._keep(ref, info)
        return info

    def forget_if_replaced(self, ref: ModelRef, version: int) -> None:
        """Forget what is known of a model if another version than the known one has answered."""
        with self._lock:
            _, info = self._entries.get(ref, (0.0, None))
            if info is not None and info.version != version:
                self._entries.pop(ref, None)

    def check_not_loading(
        self, ref: ModelRef, problem: ModelServerProblem, context: RequestContext
    ) -> None:
        """Look at the state of a model after a call to it has failed.

        Returns only if the model was not found although it does not load: it may have become
        available between the call and the look at its state, so that the call may be made again.

        Raises:
            ModelServerProblem: the call's own, or the model server does not tell the state.
            NotReady: the model is still loading.
        """
        if problem.grpc_code != grpc.StatusCode.NOT_FOUND:
            raise problem
        if self._is_loading(ref, context):
            raise NotReady(
                f"model {ref.name!r} is still loading: try again in a moment; "
                f"GET /v1/models/{ref.name} tells its state"
            ) from problem

    def _keep(self, ref: ModelRef, info: ModelInfo) -> None:
        """Keep an entry; the caller holds the lock."""
        self._entries[ref] = (time.monotonic() + SECONDS_TO_LIVE, info)

    def _ask(self, ref: ModelRef, context: RequestContext) -> ModelInfo:
        response = self._metadata(ref, context)
        version = response.model_spec.version.value
        signatures = {
            name: signature
            for name, signature in signatures_of(response).items()
            # TensorFlow's own, such as the init op; no client can run them.
            if not name.startswith("__")
        }
        info = ModelInfo(ref.name, version, signatures)
        return replace(info, labels=self._labels(info, context))

    def _metadata(
        self, ref: ModelRef, context: RequestContext
    ) -> get_model_metadata_pb2.GetModelMetadataResponse:
        try:
            return self._model_server.metadata(ref, context)
        except ModelServerProblem as problem:
            self.check_not_loading(ref, problem, context)
        return self._model_server.metadata(ref, context)

    def _labels(self, info: ModelInfo, context: RequestContext) -> Sequence[str]:
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
                context,
            )
        except (DeadlineExceeded, ModelServerProblem):
            return ()
        return [label.decode(errors="replace") for label in answer.outputs["label"]]

    def _is_loading(self, ref: ModelRef, context: RequestContext) -> bool:
        try:
            response = self._model_server.status(ModelRef(ref.name), context)
        except ModelServerProblem as problem:
            if problem.grpc_code != grpc.StatusCode.NOT_FOUND:
                raise
            return ref.name in self._model_names
        return any(
            version.state in _ON_THE_WAY and ref.version in {None, version.version}
            for version in response.model_version_status
        )


def _tells_labels(signature: Signature) -> bool:
    label = signature.outputs.get("label")
    return (
        signature.inputs.keys() == {"class_index"}
        and label is not None
        and label.data_type == types_pb2.DT_STRING
    )
