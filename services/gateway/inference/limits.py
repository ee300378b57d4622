"""How much one call may ask of a model, whichever way it came: rows of what takes long, numbers."""

from __future__ import annotations

from services.gateway.inference.tasks import ACTIVATIONS_SIGNATURE, GENERATE_SIGNATURE
from services.gateway.request.errors import ContentTooLarge
from services.serving_api.arrays import Arrays
from services.serving_api.signatures import Signature

MOST_EXAMPLES = 64
"""Of a call that takes long; and of a task that draws a picture of each."""

_EXPENSIVE = ("saliency_", "feature_visualization_")
"""Signatures that run a model many times for one answer, by how their names start."""


def is_expensive(signature_name: str) -> bool:
    """Tell whether a signature takes long."""
    return signature_name == GENERATE_SIGNATURE or signature_name.startswith(_EXPENSIVE)


def check_amount(
    signature_name: str, signature: Signature, inputs: Arrays, max_answer_numbers: int
) -> None:
    """See that a call of a task asks for no more than it may, before it runs.

    Signatures that are no task of ours pass: their first dimension may be anything.

    Args:
        signature_name: what is to run.
        signature: its inputs and outputs.
        inputs: a row an example.
        max_answer_numbers: in all outputs together, as far as their shapes tell.

    Raises:
        ContentTooLarge: it asks for more.
    """
    rows = max((len(array) for array in inputs.values() if array.ndim), default=1)
    if is_expensive(signature_name) and rows > MOST_EXAMPLES:
        raise ContentTooLarge(
            f"received {rows} examples for the signature {signature_name!r}, which takes long, "
            f"expected at most {MOST_EXAMPLES} in one request: send fewer"
        )
    if signature_name != ACTIVATIONS_SIGNATURE:
        return
    numbers = rows * sum(spec.row_size for spec in signature.outputs.values())
    if numbers > max_answer_numbers:
        raise ContentTooLarge(
            f"the answer of {signature_name!r} to {rows} examples has {numbers} numbers, expected "
            f"at most {max_answer_numbers}: send fewer in one request, or raise "
            "LECTERN_MAX_ANSWER_NUMBERS"
        )
