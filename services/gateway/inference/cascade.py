"""Cascades: a small model classifies every image, a large one those where the small is unsure."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from services.gateway.cascade_setting import Cascade
from services.gateway.codecs.image_decoder import find_image_input
from services.gateway.inference.pipeline import Pipeline, check_shapes
from services.gateway.inference.resolution import ResolvedCascade, ResolvedRequest
from services.gateway.request.errors import InvalidRequest, ModelServerProblem
from services.serving_api.arrays import Arrays

MODEL_NAME = "model_name"
MODEL_VERSION = "model_version"


def run_cascade(
    pipeline: Pipeline,
    small: ResolvedRequest,
    cascade: ResolvedCascade,
    images: npt.NDArray[Any],
) -> dict[str, npt.NDArray[Any]]:
    """Classifies each image by the small model, or by the large one if the small one is unsure.

    Args:
        pipeline: runs the models.
        small: the request to the small model.
        cascade: the same request to the large model, and the threshold.
        images: images as both models take them, [N, H, W, C] or [N, H, W].

    Returns:
        The outputs that the signatures of both models have, [N, ...] each. If the large model is
        unavailable and not needed, all outputs of the small one. `model_name` string[N] and
        `model_version` int64[N] say which model answered.

    Raises:
        DeadlineExceeded: the request's deadline has passed.
        InvalidRequest: the images do not fit, or the outputs of the two models differ in shape.
        ModelServerProblem: a model that is needed is unavailable, or failed.
    """
    large = cascade.large
    shared = set(small.signature.outputs)
    if isinstance(large, ResolvedRequest):
        shared &= large.signature.outputs.keys()
    answer = _ask(pipeline, small, images, shared)
    # Negated, so that NaN counts as unsure.
    unsure = ~(answer["probabilities"].max(axis=1) >= cascade.setting.threshold)
    if not unsure.any():
        return answer
    if isinstance(large, ModelServerProblem):
        raise large
    second = _ask(pipeline, large, images[unsure], shared)
    _check_alike(cascade.setting, answer, second)
    answer = {name: values.copy() for name, values in answer.items()}
    for name, values in answer.items():
        values[unsure] = second[name]
    return answer


def _ask(
    pipeline: Pipeline, request: ResolvedRequest, images: npt.NDArray[Any], names: set[str]
) -> dict[str, npt.NDArray[Any]]:
    """Returns the outputs of these names, in one order, and the model that computed them."""
    input_name, spec = find_image_input(request.signature)
    inputs = {input_name: images.astype(spec.dtype, copy=False)}
    check_shapes(inputs, request.signature)
    outputs, version = pipeline.run(request, inputs)
    return {
        **{name: outputs[name] for name in sorted(names)},
        MODEL_NAME: np.full(len(images), request.model.name.encode(), object),
        MODEL_VERSION: np.full(len(images), version, np.int64),
    }


def _check_alike(cascade: Cascade, first: Arrays, second: Arrays) -> None:
    for name, values in first.items():
        if values.shape[1:] != second[name].shape[1:]:
            raise InvalidRequest(
                f"the models of cascade {cascade.name!r} differ in {name!r}: {cascade.small!r} "
                f"answers {list(values.shape)}, {cascade.large!r} {list(second[name].shape)}"
            )
