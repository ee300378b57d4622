"""Limits on calls to a model: examples, numbers in the answer, concurrent expensive calls."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from services.gateway.inference.resolution import ResolvedRequest
from services.gateway.request.errors import ContentTooLarge, NotReady
from services.serving_api.arrays import Arrays

MOST_EXAMPLES = 64
"""Maximum number of examples in a request for an expensive signature, or for pictures."""


class ExpensiveCalls:
    """Concurrency limit for expensive signatures, which keeps threads free for predictions.

    Args:
        threads: number of threads of this worker.
        max_calls: maximum number of concurrent calls; half of the threads if that is fewer.
    """

    def __init__(self, threads: int, max_calls: int) -> None:
        self._slots = threading.Semaphore(min(max_calls, max(threads // 2, 1)))

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Holds a slot while a signature runs.

        Raises:
            NotReady: no slot is free.
        """
        if not self._slots.acquire(blocking=False):
            raise NotReady(
                "too many explanations, visualizations and generations are running: try again in a "
                "moment, or run more gateways"
            )
        try:
            yield
        finally:
            self._slots.release()


def check_amount(request: ResolvedRequest, inputs: Arrays, max_answer_numbers: int) -> None:
    """Checks the number of examples and the size of the answer before a request runs.

    Args:
        request: the request. Signatures of an unknown kind pass, since their first dimension may
            not be the batch.
        inputs: the inputs, with one row per example.
        max_answer_numbers: maximum count of numbers in all outputs together, as far as their shapes
            are known.

    Raises:
        ContentTooLarge: the request exceeds a limit.
    """
    kind, name = request.kind, request.signature_name
    rows = max((len(array) for array in inputs.values() if array.ndim), default=1)
    if kind and kind.expensive and rows > MOST_EXAMPLES:
        raise ContentTooLarge(
            f"received {rows} examples for the expensive signature {name!r}, expected at most "
            f"{MOST_EXAMPLES} in one request: send fewer"
        )
    if not (kind and kind.large_answer):
        return
    outputs = request.signature.outputs
    numbers = rows * sum(outputs[output].row_size for output in request.outputs or outputs)
    if numbers > max_answer_numbers:
        raise ContentTooLarge(
            f"the answer of {name!r} to {rows} examples has {numbers} numbers, expected at most "
            f"{max_answer_numbers}: send fewer in one request, or raise LECTERN_MAX_ANSWER_NUMBERS"
        )
