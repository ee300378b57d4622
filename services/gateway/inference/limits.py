"""Limits of one call to a model: examples, numbers in the answer, concurrent expensive calls."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from services.gateway.inference.resolution import ResolvedRequest
from services.gateway.request.errors import ContentTooLarge, NotReady
from services.serving_api.arrays import Arrays

MOST_EXAMPLES = 64
"""Examples of a request for an expensive signature, and of a task that draws a picture of each."""


class ExpensiveCalls:
    """Concurrency limit for expensive signatures, which leaves threads for predictions.

    Args:
        threads: threads of this worker.
        max_calls: expensive calls at once; at most half of the threads.
    """

    def __init__(self, threads: int, max_calls: int) -> None:
        self._slots = threading.Semaphore(min(max_calls, max(threads // 2, 1)))

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Hold a slot while a signature runs.

        Raises:
            NotReady: none is free.
        """
        if not self._slots.acquire(blocking=False):
            raise NotReady(
                "as many explanations, visualizations and generations as may run here already do: "
                "try again in a moment, or run more gateways"
            )
        try:
            yield
        finally:
            self._slots.release()


def check_amount(request: ResolvedRequest, inputs: Arrays, max_answer_numbers: int) -> None:
    """Check the examples and the numbers that a request asks for, before it runs.

    Args:
        request: the request. Signatures of an unknown kind pass: their first dimension may be
            anything.
        inputs: one row per example.
        max_answer_numbers: in all outputs together, as far as their shapes tell.

    Raises:
        ContentTooLarge: it asks for more.
    """
    kind, name = request.kind, request.signature_name
    rows = max((len(array) for array in inputs.values() if array.ndim), default=1)
    if kind and kind.expensive and rows > MOST_EXAMPLES:
        raise ContentTooLarge(
            f"received {rows} examples for the signature {name!r}, which takes long, expected at "
            f"most {MOST_EXAMPLES} in one request: send fewer"
        )
    if not (kind and kind.large_answer):
        return
    numbers = rows * sum(spec.row_size for spec in request.signature.outputs.values())
    if numbers > max_answer_numbers:
        raise ContentTooLarge(
            f"the answer of {name!r} to {rows} examples has {numbers} numbers, expected at most "
            f"{max_answer_numbers}: send fewer in one request, or raise LECTERN_MAX_ANSWER_NUMBERS"
        )
