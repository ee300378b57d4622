"""The tasks that the gateway offers, and the signatures that carry them."""

from __future__ import annotations

from collections.abc import Mapping

from services.gateway.request.errors import InvalidRequest
from services.gateway.upstream.catalog import DEFAULT_SIGNATURE, ModelInfo
from services.serving_api.signatures import Signature

PREDICT = "predict"
SALIENCY = "saliency"
ACTIVATIONS = "activations"
VISUALIZE = "visualize"
GENERATE = "generate"
COMPRESS = "compress"
DECOMPRESS = "decompress"

ACTIVATIONS_SIGNATURE = "activations"
GENERATE_SIGNATURE = "generate"
DECODE_SIGNATURE = "decode_latent"
ENCODE_SIGNATURE = "encode_latent"

_SIGNATURES: Mapping[str, tuple[str, ...]] = {
    PREDICT: (DEFAULT_SIGNATURE,),
    SALIENCY: ("saliency_",),
    ACTIVATIONS: (ACTIVATIONS_SIGNATURE,),
    VISUALIZE: ("feature_visualization_",),
    GENERATE: (GENERATE_SIGNATURE, DECODE_SIGNATURE),
    COMPRESS: ("compress",),
    DECOMPRESS: ("decompress",),
}
"""The signatures of which one is enough for a task; an underscore at the end stands for a family,
whose members are the choices that a client has."""

_TENSORS: Mapping[str, tuple[set[str], set[str]]] = {
    "saliency_": ({"class_index"}, {"attribution", "class_index"}),
    "feature_visualization_": ({"channel", "seed"}, {"images", "activation"}),
    GENERATE_SIGNATURE: ({"seed", "temperature"}, {"images", "latent"}),
    DECODE_SIGNATURE: ({"latent"}, {"images"}),
    ENCODE_SIGNATURE: ({"images"}, {"mean"}),
    "compress": (set(), {"code"}),
    "decompress": ({"code"}, {"images"}),
}
"""The inputs and outputs that a signature must have; without them, the name is a coincidence."""

_CHOICES = {SALIENCY: "method", VISUALIZE: "layer"}

_METHOD_NAMES = {
    "classify": "tensorflow/serving/classify",
    "regress": "tensorflow/serving/regress",
}


def tasks_of(model: ModelInfo) -> list[str]:
    """Return the tasks of a model, which are the verbs that its path takes."""
    methods = {signature.method_name for signature in model.signatures.values()}
    return [
        *(task for task, patterns in _SIGNATURES.items() if _carried(model, patterns)),
        *(task for task, method in _METHOD_NAMES.items() if method in methods),
    ]


def _carried(model: ModelInfo, patterns: tuple[str, ...]) -> bool:
    return any(_matching(model, pattern) for pattern in patterns)


def _matching(model: ModelInfo, pattern: str) -> list[str]:
    """Return the names of a family's signatures, or the one name, as far as they are there."""
    inputs, outputs = _TENSORS.get(pattern, (set(), set()))
    return sorted(
        name
        for name, signature in model.signatures.items()
        if (name.startswith(pattern) if pattern.endswith("_") else name == pattern)
        and inputs <= signature.inputs.keys()
        and outputs <= signature.outputs.keys()
    )


def choices(model: ModelInfo, task: str) -> list[str]:
    """Return what a model offers of a task: its saliency methods, the layers to visualize."""
    [prefix] = _SIGNATURES[task]
    return [name.removeprefix(prefix) for name in _matching(model, prefix)]


def chosen_signature(model: ModelInfo, task: str, choice: str) -> tuple[str, Signature]:
    """Return the signature of one saliency method or of one layer to visualize, and its name.

    Raises:
        InvalidRequest: the model lacks the task, or this choice.
    """
    offered = choices(model, task)
    if not offered:
        raise _lacks(model, task)
    if choice not in offered:
        raise InvalidRequest(
            f"model {model.name!r} has no {task} {_CHOICES[task]} {choice!r}, "
            f"expected one of {offered}"
        )
    name = _SIGNATURES[task][0] + choice
    return name, model.signatures[name]


def task_signature(model: ModelInfo, task: str, name: str | None = None) -> tuple[str, Signature]:
    """Return a signature that carries a task, and its name.

    Args:
        model: what the model can do.
        task: one that a single signature carries.
        name: of the signature; by default the first of those that carry the task.

    Raises:
        InvalidRequest: the model lacks the task, or this signature.
    """
    name = name or _SIGNATURES[task][0]
    if _matching(model, name):
        return name, model.signatures[name]
    if task not in tasks_of(model):
        raise _lacks(model, task)
    raise InvalidRequest(
        f"model {model.name!r} version {model.version} has no signature {name!r}, which this form "
        f"of {task!r} needs; it has {sorted(model.signatures)}"
    )


def _lacks(model: ModelInfo, task: str) -> InvalidRequest:
    return InvalidRequest(
        f"model {model.name!r} version {model.version} has no task {task!r}, "
        f"it has {tasks_of(model)} (signatures {sorted(model.signatures)})"
    )
