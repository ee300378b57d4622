"""Exports a user's Keras model, and checks the export before publishing it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from training.errors import KerasModelError
from training.exporting.export import CARD_PATH, SOURCE_PATH, write_saved_model
from training.exporting.repository import publish, register
from training.exporting.session import SessionModel
from training.exporting.warmup import write_warmup_requests
from training.keras_models.card import model_card
from training.keras_models.plan import Options, Plan
from training.keras_models.reading import Source
from training.keras_models.tasks import plan_export

TOLERANCE = 1e-4
_IMAGES = 4


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
    if plan.reference is None:
        return {"difference": None, "convergence": None}
    images = _random_images(plan.reference)
    answer = session.run("serving_default", images=images)[plan.compared_output]
    expected = keras.ops.convert_to_numpy(plan.reference(images, training=False))
    difference = float(np.abs(_comparable(answer, expected) - expected).max())
    scale = max(1.0, float(np.abs(expected).max()))
    if not difference <= TOLERANCE * scale:
        raise KerasModelError(
            f"The export's {plan.compared_output} differ from the Keras model's by "
            f"{difference:.2g}; expected at most {TOLERANCE * scale:.2g}. Nothing was published."
        )
    return {"difference": difference, "convergence": _convergence(session, plan, images[:1])}


def _random_images(model: keras.Model) -> npt.NDArray[np.float32]:
    shape = [_IMAGES, *model.input_shape[1:]]
    return np.random.default_rng(0).uniform(0, 255, shape).astype(np.float32)


def _comparable(answer: npt.NDArray[Any], expected: npt.NDArray[Any]) -> npt.NDArray[Any]:
    # A network with one sigmoid is exported with two classes; its output is that of the second.
    return answer[:, -1:] if answer.ndim == 2 and expected.shape[-1] == 1 else answer


def _convergence(
    session: SessionModel, plan: Plan, images: npt.NDArray[np.float32]
) -> float | None:
    name = "saliency_integrated_gradients"
    if name not in {signature.name for signature in plan.signatures}:
        return None
    top_class = np.array([-1], np.int32)
    answer = session.run(name, images=images, class_index=top_class)
    share = float(np.abs(answer["attribution"].sum()))
    return float(np.abs(answer["convergence_delta"]).max()) / max(share, 1e-6)
