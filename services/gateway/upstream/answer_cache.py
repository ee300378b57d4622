"""Answer cache, for deterministic models."""

from __future__ import annotations

import hashlib
import threading

from cachetools import LRUCache

from services.gateway.telemetry.metrics import CACHE_LOOKUPS
from services.gateway.upstream.model_server import Prediction
from services.serving_api.arrays import Arrays, content_bytes

_OVERHEAD_BYTES = 1024
"""Memory of an entry in addition to its arrays: measured with two outputs, rounded up."""


class AnswerCache:
    """LRU cache of one worker.

    Args:
        max_bytes: limit of the memory for all entries.
    """

    def __init__(self, max_bytes: int) -> None:
        self._lock = threading.Lock()
        self._answers: LRUCache[bytes, Prediction] = LRUCache(max_bytes, _size)

    def find(self, key: bytes) -> Prediction | None:
        """Returns a cached answer, or None; counts a hit or a miss."""
        with self._lock:
            found = self._answers.get(key)
        CACHE_LOOKUPS.labels("hit" if found else "miss").inc()
        return found

    def keep(self, key: bytes, prediction: Prediction) -> None:
        """Stores an answer, unless it is larger than the whole cache."""
        # A copy, since the array may be a view of the outputs of a whole batch.
        outputs = {name: array.copy() for name, array in prediction.outputs.items()}
        for array in outputs.values():
            array.flags.writeable = False
        kept = Prediction(outputs, prediction.version)
        if _size(kept) <= self._answers.maxsize:
            with self._lock:
                self._answers[key] = kept


def cache_key(
    model: str, version: int, signature_name: str, inputs: Arrays, outputs: tuple[str, ...] = ()
) -> bytes:
    """Returns the cache key of a call: a digest of everything that determines the answer."""
    question = (model, version, signature_name, outputs)
    digest = hashlib.blake2b(repr(question).encode(), digest_size=32)
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
