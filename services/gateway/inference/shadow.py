"""Shadows: mirrors answered calls to a candidate, and compares its answers; no client waits."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import structlog

from services.gateway.inference.pipeline import check_shapes
from services.gateway.inference.resolution import ResolvedRequest, Resolver
from services.gateway.inference.splits import ref_of
from services.gateway.request.context import RequestContext
from services.gateway.request.errors import InvalidRequest, Problem
from services.gateway.split_setting import Arm, Shadow, Split
from services.gateway.telemetry.backlog import Backlog
from services.gateway.telemetry.metrics import (
    LIVE,
    MIRRORED,
    SHADOW_DROPS,
    SPLIT_COMPARED_ROWS,
    SPLIT_CONFIDENCE,
    SPLIT_DURATION,
    SPLIT_REQUESTS,
)
from services.gateway.upstream.catalog import find_scores
from services.gateway.upstream.model_server import ModelServer
from services.serving_api.arrays import Arrays, content_bytes
from services.serving_api.signatures import Signature

_MAX_WAITING = 64
_MAX_WAITING_BYTES = 2**25

_Scores = npt.NDArray[Any]
_Classes = npt.NDArray[np.intp]

log = structlog.get_logger()


@dataclass(frozen=True)
class _MirroredCall:
    """A call that an arm has answered, which the shadow is asked too.

    Attributes:
        split: the split.
        arm: the arm that answered.
        shadow: the shadow.
        classes: the class of each row, as the arm answered it; None if it answered no scores.
        request: the answered call.
        inputs: its inputs.
        offered: when it was answered, by `time.monotonic`.
    """

    split: Split
    arm: Arm
    shadow: Shadow
    classes: _Classes | None
    request: ResolvedRequest
    inputs: Arrays
    offered: float


class Shadows:
    """Measures the arms of splits, and mirrors calls to their shadows.

    A mirrored call is dropped rather than that a client's request waits: if too many wait already,
    if callers wait for the model server, or if it has waited for longer than its time limit.

    Args:
        resolver: finds the signature of a shadow.
        model_server: calls shadows; not by way of the batcher, so that they share no call with the
            requests of clients.
        max_calls: maximum number of mirrored calls in flight.
        is_loaded: returns whether callers wait for the model server.
    """

    def __init__(
        self,
        resolver: Resolver,
        model_server: ModelServer,
        max_calls: int,
        is_loaded: Callable[[], bool],
    ) -> None:
        self._resolver = resolver
        self._model_server = model_server
        self._is_loaded = is_loaded
        self._backlog: Backlog[_MirroredCall] = Backlog(
            self._mirror, threads=max_calls, max_items=_MAX_WAITING, max_bytes=_MAX_WAITING_BYTES
        )

    def observe(
        self, request: ResolvedRequest, inputs: Arrays, outputs: Arrays, seconds: float
    ) -> None:
        """Measures a call that an arm has answered, and mirrors it if it is in the share.

        Args:
            request: the call.
            inputs: its inputs.
            outputs: its outputs.
            seconds: the time that it took.
        """
        split, arm = request.context.split, request.context.arm
        if split is None or arm is None:
            return
        classes = _measure(split, arm, LIVE, seconds, _scores(request.signature, outputs))
        shadow, request_id = split.shadow, request.context.request_id
        if shadow is None or shadow.name == arm.name or not split.is_mirrored(request_id):
            return
        call = _MirroredCall(split, arm, shadow, classes, request, inputs, time.monotonic())
        if self._is_loaded():
            _drop(split, "load")
        elif not self._backlog.offer(call, content_bytes(inputs)):
            _drop(split, "queue")

    def _mirror(self, call: _MirroredCall) -> None:
        """Asks the shadow, in a thread of the backlog."""
        if time.monotonic() > call.offered + call.shadow.timeout_seconds:
            _drop(call.split, "late")
            return
        if self._is_loaded():
            _drop(call.split, "load")
            return
        start, status = time.perf_counter(), "200"
        try:
            scores = self._ask(call)
        except Problem as problem:
            status = str(problem.code)
            members = call.request.context.log_members
            log.debug("a shadow failed", **members, reason=problem.description)
        else:
            seconds = time.perf_counter() - start
            classes = _measure(call.split, call.shadow, MIRRORED, seconds, scores)
            _compare(call, classes)
        SPLIT_REQUESTS.labels(call.split.name, call.shadow.name, MIRRORED, status).inc()

    def _ask(self, call: _MirroredCall) -> _Scores | None:
        """Returns the scores that the shadow answers.

        Raises:
            Problem: the shadow has no such signature, takes other inputs, or failed.
        """
        name, outputs = call.request.signature_name, call.request.outputs
        model = ref_of(call.shadow)
        context = RequestContext.lasting(call.shadow.timeout_seconds)
        context.log_members = call.request.context.log_members
        signature = self._resolver.signature(context, model, name).signature
        inputs = _fit(call.inputs, signature)
        prediction = self._model_server.predict(model, name, inputs, context, outputs)
        return _scores(signature, prediction.outputs)


def _fit(inputs: Arrays, signature: Signature) -> Arrays:
    """Returns inputs under the names of a signature; a single input may have any name.

    Raises:
        InvalidRequest: the signature takes other inputs.
    """
    if len(inputs) == len(signature.inputs) == 1:
        inputs = dict(zip(signature.inputs, inputs.values(), strict=True))
    if unknown := inputs.keys() - signature.inputs.keys():
        raise InvalidRequest(
            f"the shadow has no input {min(unknown)!r}, expected {sorted(signature.inputs)}"
        )
    check_shapes(inputs, signature)
    return inputs


def _scores(signature: Signature, outputs: Arrays) -> _Scores | None:
    """Returns a score for each row and class, [N, K]; None if there are none."""
    name = find_scores(signature)
    scores = outputs.get(name) if name else None
    if scores is None or scores.ndim != 2 or not scores.size or scores.dtype == object:
        return None
    return scores


def _measure(
    split: Split, arm: Arm, role: str, seconds: float, scores: _Scores | None
) -> _Classes | None:
    """Observes an answered call of an arm, and returns the class of each row."""
    labels = split.name, arm.name, role
    SPLIT_DURATION.labels(*labels).observe(seconds)
    if scores is None:
        return None
    if np.allclose(scores.sum(axis=1), 1, atol=1e-3):
        SPLIT_CONFIDENCE.labels(*labels).observe(float(scores.max(axis=1).mean()))
    classes: _Classes = scores.argmax(axis=1)
    return classes


def _compare(call: _MirroredCall, classes: _Classes | None) -> None:
    if call.classes is None or classes is None or call.classes.shape != classes.shape:
        return
    alike = int((call.classes == classes).sum())
    for outcome, rows in (("alike", alike), ("different", len(classes) - alike)):
        labels = call.split.name, call.arm.name, call.shadow.name, outcome
        SPLIT_COMPARED_ROWS.labels(*labels).inc(rows)


def _drop(split: Split, reason: str) -> None:
    SHADOW_DROPS.labels(split.name, reason).inc()
