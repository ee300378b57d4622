"""The tasks of every other model: predictions and attributions by the names of its tensors."""

from __future__ import annotations

import keras

from training.errors import KerasModelError
from training.keras_models.plan import Plan, shape_text
from training.keras_models.rebuilding import (
    take_off_head,
)
from training.signatures.attributions import attribution_signatures
from training.signatures.predict_tensors import output_names, predict_tensors


def plan_tensors(model: keras.Model, reason: str) -> Plan:
    """Returns the contents of an export of a model of any inputs and outputs.

    Args:
        model: The model.
        reason: Why it has no tasks of images.

    Raises:
        KerasModelError: An output has no batch dimension.
    """
    for name, tensor in zip(output_names(model), model.outputs, strict=True):
        if not tensor.shape:
            raise KerasModelError(
                f"The output {name} is one number for a whole batch, which cannot be served; "
                "expected outputs with one row per example."
            )
    skipped = dict.fromkeys(["labels", "saliency", "activations", "visualize"], reason)
    plan = Plan("model of tensors", model, output_names(model), [predict_tensors(model)], skipped)
    if any(len(each.shape) > 3 for each in model.inputs):
        skipped["attribution"] = "it is for tables and sequences; the model takes larger tensors"
    elif not any(keras.backend.is_float_dtype(each.dtype) for each in model.inputs):
        skipped["attribution"] = "text and whole numbers have no gradient"
    else:
        _add_attributions(plan, model)
    return plan


def _add_attributions(plan: Plan, model: keras.Model) -> None:
    """Adds the attributions of each output that is a vector per example."""
    several = len(model.outputs) > 1
    explained = model if several else take_off_head(model)
    for position, (name, tensor) in enumerate(zip(output_names(model), model.outputs, strict=True)):
        suffix = f"_{name}" if several else ""
        if len(tensor.shape) == 2 and tensor.shape[-1] is not None:
            plan.signatures += attribution_signatures(explained, position, suffix)
        else:
            plan.skipped[f"attribution{suffix}"] = f"the output is {shape_text(tensor)}, not [N, K]"
