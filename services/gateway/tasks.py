"""The tasks that the gateway offers, and the signatures that carry them."""

from __future__ import annotations

from collections.abc import Mapping

from services.gateway.catalog import DEFAULT_SIGNATURE, ModelInfo
from services.gateway.errors import InvalidRequest
from services.serving_api.signatures import Signature

SALIENCY_PREFIX = "saliency_"

_PREFIXES: Mapping[str, str] = {"predict": DEFAULT_SIGNATURE, "saliency": SALIENCY_PREFIX}


def tasks_of(model: ModelInfo) -> list[str]:
    """Return the tasks of a model, which are the verbs that its path takes."""
    return [
        task
        for task, prefix in _PREFIXES.items()
        if any(name.startswith(prefix) for name in model.signatures)
    ]


def saliency_methods(model: ModelInfo) -> list[str]:
    """Return the names of a model's saliency methods."""
    return sorted(
        name.removeprefix(SALIENCY_PREFIX)
        for name in model.signatures
        if name.startswith(SALIENCY_PREFIX)
    )


def predict_signature(model: ModelInfo) -> Signature:
    """Return the signature that predicts from images.

    Raises:
        InvalidRequest: the model does not predict.
    """
    if DEFAULT_SIGNATURE not in model.signatures:
        raise _lacks(model, "predict")
    return model.signatures[DEFAULT_SIGNATURE]


def saliency_signature(model: ModelInfo, method: str) -> Signature:
    """Return the signature of a saliency method.

    Raises:
        InvalidRequest: the model does not explain itself, or not by this method.
    """
    methods = saliency_methods(model)
    if not methods:
        raise _lacks(model, "saliency")
    if method not in methods:
        raise InvalidRequest(
            f"model {model.name!r} has no saliency method {method!r}, expected one of {methods}"
        )
    return model.signatures[SALIENCY_PREFIX + method]


def _lacks(model: ModelInfo, task: str) -> InvalidRequest:
    return InvalidRequest(
        f"model {model.name!r} version {model.version} has no task {task!r}, "
        f"it has {tasks_of(model)} (signatures {sorted(model.signatures)})"
    )
