"""Answers that were given before, for models that give the same answer to the same question."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable

from cachetools import LRUCache

from services.gateway.telemetry.metrics import CACHE_LOOKUPS
from services.gateway.upstream.model_server import Prediction
from services.serving_api.arrays import Arrays, content_bytes

_OVERHEAD_BYTES = 1024
"""Of an entry, beside its arrays: measured for two outputs, and rounded up."""


class AnswerCache:
    """The answers that were asked for last, of one worker.

    Args:
        max_bytes: the memory that they may take; with 0 nothing is kept.
    """

    def __init__(self, max_bytes: int) -> None:
        self._lock = threading.Lock()
        self._answers: LRUCache[bytes, Prediction] = LRUCache(max_bytes, _size)

    def answer(
        self, version: tuple[str, int, str], inputs: Arrays, ask: Callable[[], Prediction]
    ) -> Prediction:
        """Return what was answered before, else ask.

        Args:
            version: the model's name, its version, and the signature.
            inputs: what goes in.
            ask: gets the answer; it is kept if it comes from that version.

        Raises:
            Problem: what `ask` raises.
        """
        if not self._answers.maxsize:
            return ask()
        key = _digest(version, inputs)
        with self._lock:
            found = self._answers.get(key)
        CACHE_LOOKUPS.labels("hit" if found else "miss").inc()
        if found:
            return found
        prediction = ask()
        if prediction.version == version[1]:
            self._keep(key, prediction)
        return prediction

    def _keep(self, key: bytes, prediction: Prediction) -> None:
        # A copy, since the array may be a view of all that came back for many requests.
        outputs = {name: array.copy() for name, array in prediction.outputs.items()}
        for array in outputs.values():
            array.flags.writeable = False
        kept = Prediction(outputs, prediction.version)
        if _size(kept) <= self._answers.maxsize:
            with self._lock:
                self._answers[key] = kept


def _digest(version: tuple[str, int, str], inputs: Arrays) -> bytes:
    digest = hashlib.blake2b(repr(version).encode(), digest_size=32)
    for name in sorted(inputs):
        array = inputs[name]
        digest.update(repr((name, array.dtype.str, array.shape)).encode())
        if array.dtype.hasobject:
            digest.update(repr(array.tolist()).encode())
        else:
            digest.update(array.tobytes())
    return digest.digest()


def _size(prediction: Prediction) -> int:
    return _OVERHEAD_BYTES + content_bytes(prediction.outputs)
