"""Inference by a cascade: a small model for every image, a large one where the first is unsure."""

from __future__ import annotations

from collections.abc import Set
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from services.gateway.cascade_setting import Cascade
from services.gateway.codecs.image_decoder import find_image_input
from services.gateway.inference.pipeline import check_shapes, find_model, run
from services.gateway.inference.tasks import PREDICT, task_signature
from services.gateway.middleware.access_log import note_model
from services.gateway.request.errors import InvalidRequest, ModelServerProblem
from services.gateway.upstream.model_server import ModelRef
from services.serving_api.signatures import Signature

MODEL_NAME = "model_name"
MODEL_VERSION = "model_version"


def run_cascade(cascade: Cascade, images: npt.NDArray[Any]) -> dict[str, npt.NDArray[Any]]:
    """Classify images, each by the model whose answer counts.

    Args:
        cascade: the two models.
        images: as both models take them, [N, H, W, C] or [N, H, W].

    Returns:
        The outputs that the signatures of both models have, whoever spoke, [N, ...] each; those of
        the small one while the large one is not there and nothing is unsure. `model_name`
        string[N] and `model_version` int64[N] say who did.

    Raises:
        InvalidRequest: the images do not fit, or the models do not classify, or not alike.
        ModelServerProblem: a model that is needed is not there, or failed.
    """
    small, large = _find(cascade.small), _find_if_there(cascade.large)
    shared = set(small.signature.outputs)
    if isinstance(large, _Classifier):
        shared &= large.signature.outputs.keys()
    answer = _ask(small, images, shared)
    # Written so that what is no number counts as unsure.
    unsure = ~(answer["probabilities"].max(axis=1) >= cascade.threshold)
    if unsure.any():
        if isinstance(large, ModelServerProblem):
            raise large
        second = _ask(large, images[unsure], shared)
        _check_alike(cascade, answer, second)
        answer = {name: values.copy() for name, values in answer.items()}
        for name, values in answer.items():
            values[unsure] = second[name]
    note_model(cascade.name)
    return answer


class _Classifier(NamedTuple):
    """One of the two models, and the signature that classifies."""

    name: str
    signature_name: str
    signature: Signature


def _find(name: str) -> _Classifier:
    signature_name, signature = task_signature(find_model(ModelRef(name)), PREDICT)
    probabilities = signature.outputs.get("probabilities")
    if probabilities is None or probabilities.shape is None or len(probabilities.shape) != 2:
        answers = {output: str(spec) for output, spec in sorted(signature.outputs.items())}
        raise InvalidRequest(
            f"model {name!r} answers {answers}, a cascade needs 'probabilities' [N, K]"
        )
    return _Classifier(name, signature_name, signature)


def _find_if_there(name: str) -> _Classifier | ModelServerProblem:
    """Return the problem instead of raising it: where the small model is sure, it is none."""
    try:
        return _find(name)
    except ModelServerProblem as problem:
        return problem


def _ask(
    model: _Classifier, images: npt.NDArray[Any], names: Set[str]
) -> dict[str, npt.NDArray[Any]]:
    """Return the outputs of these names, in one order, and who gave them."""
    input_name, spec = find_image_input(model.signature)
    inputs = {input_name: images.astype(spec.dtype, copy=False)}
    check_shapes(inputs, model.signature)
    outputs, version = run(ModelRef(model.name), model.signature_name, inputs)
    return {
        **{name: outputs[name] for name in sorted(names)},
        MODEL_NAME: np.full(len(images), model.name.encode(), object),
        MODEL_VERSION: np.full(len(images), version, np.int64),
    }


def _check_alike(
    cascade: Cascade, first: dict[str, npt.NDArray[Any]], second: dict[str, npt.NDArray[Any]]
) -> None:
    for name, values in first.items():
        if values.shape[1:] != second[name].shape[1:]:
            raise InvalidRequest(
                f"the models of cascade {cascade.name!r} differ in {name!r}: {cascade.small!r} "
                f"answers {list(values.shape)}, {cascade.large!r} {list(second[name].shape)}"
            )
