"""Model catalog: the signatures and classes of models, cached for a short time."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import grpc
import numpy as np
from cachetools import LRUCache

from services.gateway.codecs.image_decoder import takes_images
from services.gateway.request.context import RequestContext
from services.gateway.request.errors import DeadlineExceeded, ModelServerProblem, NotReady
from services.gateway.upstream.model_server import ModelRef, ModelServer
from services.serving_api.dtypes import DTYPES
from services.serving_api.protos import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    types_pb2,
)
from services.serving_api.signatures import DEFAULT_SIGNATURE, Signature, TensorSpec, signatures_of

LABELS_SIGNATURE = "class_labels"
PROBABILITIES = "probabilities"
SECONDS_TO_LIVE = 2.0
MAX_ENTRIES = 1024
"""Maximum number of cached references; each name, version and label of a model is one."""

_State = get_model_status_pb2.ModelVersionStatus.State
_ON_THE_WAY = {_State.START, _State.LOADING}


@dataclass(frozen=True)
class ModelInfo:
    """One version of a model with its signatures and classes.

    Attributes:
        name: name of the model.
        version: the version that the reference resolved to.
        signatures: the signatures by name.
        labels: name of each class; empty if the model does not provide them.
    """

    name: str
    version: int
    signatures: Mapping[str, Signature]
    labels: Sequence[str] = ()

    def label(self, class_index: int) -> str | None:
        """Returns the name of a class, or None if the model does not provide it."""
        return self.labels[class_index] if class_index < len(self.labels) else None

    @property
    def classes(self) -> list[str | None]:
        """Names of all classes, None for each unknown name; empty if the model is no classifier."""
        return [self.label(index) for index in range(self.class_count or 0)]

    @property
    def class_count(self) -> int | None:
        """Number of classes; None if the model does not say."""
        default = self.signatures.get(DEFAULT_SIGNATURE)
        name = find_scores(default) if default else None
        shape = default.outputs[name].shape if default and name else None
        return shape[-1] if shape else None


class Catalog:
    """Looks up models by reference.

    Args:
        model_server: client of the model server, which describes the models.
        model_names: names of the configured models; a model server that has just started may not
            know them yet.
    """

    def __init__(self, model_server: ModelServer, model_names: Collection[str]) -> None:
        self._model_server = model_server
        self._model_names = model_names
        self._lock = threading.Lock()
        self._entries: LRUCache[ModelRef, tuple[float, ModelInfo]] = LRUCache(MAX_ENTRIES)

    def model(self, ref: ModelRef, context: RequestContext) -> ModelInfo:
        """Returns a model's description; while one thread refreshes it, others get the cached one.

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
        """Removes a model's entry if another version than the cached one has answered."""
        with self._lock:
            _, info = self._entries.get(ref, (0.0, None))
            if info is not None and info.version != version:
                self._entries.pop(ref, None)

    def check_not_loading(
        self, ref: ModelRef, problem: ModelServerProblem, context: RequestContext
    ) -> None:
        """Checks the state of a model after a call to it has failed.

        Returns only if the call failed with NOT_FOUND and the model is not loading: it may have
        become available after the call, so the call may be repeated.

        Raises:
            ModelServerProblem: the call's own error, or the state could not be read.
            NotReady: the model is still loading.
        """
        if problem.grpc_code != grpc.StatusCode.NOT_FOUND:
            raise problem
        if self._is_loading(ref, context):
            raise NotReady(
                f"model {ref.name!r} is still loading: try again in a moment; "
                f"GET /v1/models/{ref.name} shows its state"
            ) from problem

    def _keep(self, ref: ModelRef, info: ModelInfo) -> None:
        """Stores an entry; the caller holds the lock."""
        self._entries[ref] = (time.monotonic() + SECONDS_TO_LIVE, info)

    def _ask(self, ref: ModelRef, context: RequestContext) -> ModelInfo:
        response = self._metadata(ref, context)
        version = response.model_spec.version.value
        signatures = {
            name: signature
            for name, signature in signatures_of(response).items()
            # TensorFlow's internal signatures, such as the init op, which clients cannot run.
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
        """Returns the names of a model's classes; empty if the model does not provide them."""
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


def find_scores(signature: Signature) -> str | None:
    """Returns the name of the output with a score for each class; None if there is none.

    It is `probabilities`; or else, if the signature takes images, its only output of floats [N, K],
    which is how `model.export()` of Keras writes a classifier of images.
    """
    outputs = signature.outputs
    if PROBABILITIES in outputs:
        return PROBABILITIES
    names = [name for name, spec in outputs.items() if _is_float_matrix(spec)]
    return names[0] if len(names) == 1 and takes_images(signature) else None


def _is_float_matrix(spec: TensorSpec) -> bool:
    shape, dtype = spec.shape, DTYPES.get(spec.data_type)
    return bool(shape and len(shape) == 2 and shape[1] and dtype and dtype.numpy.kind == "f")


def _tells_labels(signature: Signature) -> bool:
    label = signature.outputs.get("label")
    return (
        signature.inputs.keys() == {"class_index"}
        and label is not None
        and label.data_type == types_pb2.DT_STRING
    )
