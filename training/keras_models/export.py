"""Exports a user's Keras model, and checks the export before publishing it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from training.errors import KerasModelError
from training.exporting.export import CARD_PATH, SOURCE_PATH, write_saved_model
from training.exporting.repository import publish, register
from training.exporting.session import SessionModel
from training.exporting.warmup import write_warmup_requests
from training.keras_models.card import model_card
from training.keras_models.plan import Options, Plan
from training.keras_models.reading import Source
from training.keras_models.tasks import plan_export
from training.signatures.predict_tensors import call_by_position, example_of, input_specs

TOLERANCE = 1e-4
_EXAMPLES = 4


@dataclass(frozen=True)
class Report:
    """The result of an export.

    Attributes:
        version: Folder of the new version.
        kind: Kind of the model, such as classifier.
        signatures: The signatures that were written.
        skipped: The tasks that were left out, each with the reason.
        difference: Largest difference between the predictions of the export and of the Keras model;
            None if none were compared.
        convergence: Relative difference between a logit and the sum of its integrated gradients;
            None without integrated gradients.
    """

    version: Path
    kind: str
    signatures: list[str]
    skipped: dict[str, str]
    difference: float | None
    convergence: float | None


def export_keras_model(
    models: Path, name: str, source: Source, options: Options, description: str = ""
) -> Report:
    """Adds a version of a user's model to the repository and to its `models.config`.

    Args:
        models: The model repository.
        name: Name of the model in the repository.
        source: The model.
        options: The user's options, for what the model's file does not say.
        description: Origin of the model, for its card.

    Raises:
        KerasModelError: The model cannot be exported with these options, or the export's answers
            differ from the Keras model's. Nothing has been published then.
    """
    plan = plan_export(source, options)
    measured: dict[str, float | None] = {}

    def write(folder: Path) -> None:
        write_saved_model(folder, plan.signatures, _lookup_tables(source.model))
        write_warmup_requests(folder, name, plan.signatures)
        (folder / SOURCE_PATH).write_text(_describe(description, options, plan))
        with SessionModel(folder) as session:
            measured.update(_check(session, plan))
            checks = {
                "largest difference from the Keras model": measured["difference"],
                "relative error of integrated gradients": measured["convergence"],
            }
            card = model_card(name, description, source, options, plan, checks, folder, session)
        (folder / CARD_PATH).write_text(card)

    version = publish(models, name, write)
    register(models, name)
    return Report(
        version,
        plan.kind,
        [signature.name for signature in plan.signatures],
        plan.skipped,
        measured["difference"],
        measured["convergence"],
    )


def _describe(description: str, options: Options, plan: Plan) -> str:
    content = {
        "source": description,
        "kind": plan.kind,
        "options": asdict(options),
        "skipped": plan.skipped,
        "keras": keras.__version__,
    }
    return json.dumps(content, indent=2) + "\n"


def _lookup_tables(model: keras.Model) -> list[Any]:
    """Returns the tables of a model's preprocessing layers, which an export must track."""
    tables = (getattr(layer, "lookup_table", None) for layer in model._flatten_layers())
    return [table for table in tables if table is not None]


def _check(session: SessionModel, plan: Plan) -> dict[str, float | None]:
    """Compares the export's answers, in a TF1-style session, with those of the Keras model.

    Raises:
        KerasModelError: The answers differ.
    """
    inputs = {spec.name: _random_values(spec) for spec in input_specs(plan.reference)}
    call, tensors = call_by_position(plan.reference), [tf.constant(v) for v in inputs.values()]
    expected, again = ([each.numpy() for each in call(tensors)] for _ in range(2))
    answers = session.run("serving_default", **inputs)
    differences = [
        _difference(name, answers[name], values)
        for name, values, others in zip(plan.compared_outputs, expected, again, strict=True)
        # Else the model draws random numbers, or outputs texts.
        if np.array_equal(values, others) and values.dtype != object
    ]
    convergence = _convergence(session, plan, inputs)
    return {"difference": max(differences, default=None), "convergence": convergence}


def _random_values(spec: tf.TensorSpec) -> npt.NDArray[Any]:
    """Returns images from 0 to 255, normal numbers, zeros or empty texts, by the spec."""
    if not spec.dtype.is_floating:
        return np.repeat(example_of(spec), _EXAMPLES if spec.shape[0] is None else 1, axis=0)
    random = np.random.default_rng(0)
    shape = [_EXAMPLES if spec.shape[0] is None else spec.shape[0]]
    shape += [size or 1 for size in spec.shape[1:]]
    values = random.uniform(0, 255, shape) if len(shape) == 4 else random.normal(size=shape)
    return values.astype(spec.dtype.as_numpy_dtype)


def _difference(name: str, answer: npt.NDArray[Any], expected: npt.NDArray[Any]) -> float:
    """Returns the largest difference between the export's answer and the expected one.

    Raises:
        KerasModelError: It is too large.
    """
    difference = float(np.abs(_comparable(answer, expected) - expected).max())
    scale = max(1.0, float(np.abs(expected).max()))
    if not difference <= TOLERANCE * scale:
        raise KerasModelError(
            f"The export's {name} differ from the Keras model's by {difference:.2g}; expected at "
            f"most {TOLERANCE * scale:.2g}. Nothing was published."
        )
    return difference


def _comparable(answer: npt.NDArray[Any], expected: npt.NDArray[Any]) -> npt.NDArray[Any]:
    # A network with one sigmoid is exported with two classes; its output is that of the second.
    return answer[:, -1:] if answer.ndim == 2 and expected.shape[-1] == 1 else answer


def _convergence(
    session: SessionModel, plan: Plan, inputs: dict[str, npt.NDArray[Any]]
) -> float | None:
    name = "saliency_integrated_gradients"
    if name not in {signature.name for signature in plan.signatures}:
        return None
    top_class = np.array([-1], np.int32)
    answer = session.run(name, images=inputs["images"][:1], class_index=top_class)
    share = float(np.abs(answer["attribution"].sum()))
    return float(np.abs(answer["convergence_delta"]).max()) / max(share, 1e-6)
