"""One inference: find the model, check what goes in, run a signature."""

from __future__ import annotations

from services.gateway.cascade_setting import Cascade
from services.gateway.collaborators import gateway
from services.gateway.inference.limits import check_amount
from services.gateway.middleware.access_log import note_model, note_version
from services.gateway.request.deadline import time_left
from services.gateway.request.errors import InvalidRequest
from services.gateway.upstream.catalog import ModelInfo
from services.gateway.upstream.model_server import ModelRef, Prediction
from services.serving_api.arrays import Arrays
from services.serving_api.signatures import Signature


def find_cascade(model: ModelRef) -> Cascade | None:
    """Return the cascade of this name; None if it is a model's name, or nobody's.

    Raises:
        InvalidRequest: a version or a label of a cascade.
    """
    cascade = gateway().cascades.get(model.name)
    if cascade is not None and model != ModelRef(model.name):
        raise InvalidRequest(
            f"{model.name!r} is a cascade, which has no versions and no labels: leave them out, or "
            f"ask {cascade.small!r} or {cascade.large!r}"
        )
    return cascade


def find_model(model: ModelRef) -> ModelInfo:
    """Return what the model of the current request can do.

    Raises:
        InvalidRequest: it is a cascade.
        ModelServerProblem: there is no such model, or the model server does not answer.
        NotReady: the model is still loading.
    """
    cascade = find_cascade(model)
    if cascade is not None:
        raise InvalidRequest(
            f"{model.name!r} is a cascade, which has no task but 'predict': ask "
            f"{cascade.small!r} or {cascade.large!r}"
        )
    info = gateway().catalog.model(model, time_left())
    note_model(info.name)
    return info


def check_shapes(inputs: Arrays, signature: Signature) -> None:
    """See that arrays have the shapes that a signature takes.

    Raises:
        InvalidRequest: one of them has not.
    """
    for name, array in inputs.items():
        spec = signature.inputs[name]
        if not spec.accepts(array.shape):
            raise InvalidRequest(
                f"input {name!r} has the shape {list(array.shape)}, expected {spec}"
            )


def run(model: ModelRef, signature_name: str, inputs: Arrays) -> Prediction:
    """Run a signature within the time that the current request has left.

    Raises:
        ContentTooLarge: that is more than one call may ask for.
        ModelServerProblem: the model server refused, failed, or did not answer in time.
        NotReady: the model is still loading, or too many requests are under way.
    """
    parts = gateway()
    info = parts.catalog.model(model, time_left())
    signature = info.signature(signature_name)
    check_amount(signature_name, signature, inputs, parts.settings.max_answer_numbers)

    def predict() -> Prediction:
        return parts.batcher.predict(model, signature_name, signature, inputs, time_left())

    def ask() -> Prediction:
        with parts.lanes.enter(signature_name):
            return parts.catalog.call_if_loaded(model, predict, time_left())

    prediction = parts.cache.answer((info.name, info.version, signature_name), inputs, ask)
    parts.catalog.notice(model, prediction.version)
    note_version(prediction.version)
    return prediction
