"""Inference by a cascade: a small model for every image, a large one where the first is unsure."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from services.gateway.cascade import Cascade
from services.gateway.errors import InvalidRequest
from services.gateway.images import find_image_input
from services.gateway.inference import check_shapes, find_model, run
from services.gateway.model_server import ModelRef
from services.gateway.observation import note_model
from services.gateway.tasks import PREDICT, task_signature

MODEL_NAME = "model_name"
MODEL_VERSION = "model_version"


def run_cascade(cascade: Cascade, images: npt.NDArray[Any]) -> dict[str, npt.NDArray[Any]]:
    """Classify images, each by the model whose answer counts.

    Args:
        cascade: the two models.
        images: as both models take them, [N, H, W, C] or [N, H, W].

    Returns:
        The outputs that both models have, [N, ...] each; `model_name` string[N] and
        `model_version` int64[N] say who spoke.

    Raises:
        InvalidRequest: the images do not fit, or the models do not classify, or not alike.
        ModelServerProblem: one of the models is not there, or failed.
    """
    answer = _ask(cascade.small, images)
    # Written so that what is no number counts as unsure.
    unsure = ~(answer["probabilities"].max(axis=1) >= cascade.threshold)
    if unsure.any():
        second = _ask(cascade.large, images[unsure])
        _check_alike(cascade, answer, second)
        answer = {name: answer[name].copy() for name in answer if name in second}
        for name, values in answer.items():
            values[unsure] = second[name]
    note_model(cascade.name)
    return answer


def _ask(name: str, images: npt.NDArray[Any]) -> dict[str, npt.NDArray[Any]]:
    model = ModelRef(name)
    signature_name, signature = task_signature(find_model(model), PREDICT)
    input_name, spec = find_image_input(signature)
    inputs = {input_name: images.astype(spec.dtype, copy=False)}
    check_shapes(inputs, signature)
    outputs, version = run(model, signature_name, inputs)
    if "probabilities" not in outputs or outputs["probabilities"].ndim != 2:
        raise InvalidRequest(
            f"model {name!r} answers {sorted(outputs)}, a cascade needs 'probabilities' [N, K]"
        )
    return {
        **outputs,
        MODEL_NAME: np.full(len(images), name.encode(), object),
        MODEL_VERSION: np.full(len(images), version, np.int64),
    }


def _check_alike(
    cascade: Cascade, first: dict[str, npt.NDArray[Any]], second: dict[str, npt.NDArray[Any]]
) -> None:
    for name in first.keys() & second.keys():
        if first[name].shape[1:] != second[name].shape[1:]:
            raise InvalidRequest(
                f"the models of cascade {cascade.name!r} differ in {name!r}: {cascade.small!r} "
                f"answers {list(first[name].shape)}, {cascade.large!r} {list(second[name].shape)}"
            )
