"""Measures a user's classifier on a folder of labelled image files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from training.errors import ModelRepositoryError
from training.exporting.session import SessionModel

FILES = {".jpeg", ".jpg", ".png"}
_BATCH = 16


@dataclass(frozen=True)
class Accuracy:
    """The accuracy of a classifier.

    Attributes:
        count: Number of images.
        top_1: Share of images whose label is the most probable one.
        top_5: Share of images whose label is among the five most probable ones.
    """

    count: int
    top_1: float
    top_5: float


def measure_labelled_images(version: Path, folder: Path) -> Accuracy:
    """Measures a version on PNG and JPEG files in one folder per label.

    Args:
        version: The folder of a SavedModel with the signatures of a classifier.
        folder: Contains one folder of images per label, named like the label.

    Raises:
        ModelRepositoryError: The version is no classifier of image files, or the folder has no
            images, or images of unknown labels.
    """
    with SessionModel(version) as model:
        if not {"predict_bytes", "class_labels"} <= model.signatures.keys():
            raise ModelRepositoryError(
                f"{version} is not a classifier of image files; it has the signatures "
                f"{', '.join(sorted(model.signatures))}. Only classifiers can be measured this way."
            )
        files, indices = _read_folder(folder, _labels(model))
        ranks = [
            (np.argsort(-probabilities)[:5] == index)
            for probabilities, index in zip(_predict(model, files), indices, strict=True)
        ]
    hits = np.array(ranks)
    return Accuracy(len(files), float(hits[:, 0].mean()), float(hits.any(axis=1).mean()))


def _labels(model: SessionModel) -> list[str]:
    shape = model.signatures["serving_default"].outputs["probabilities"].tensor_shape
    indices = np.arange(shape.dim[-1].size, dtype=np.int32)
    return [label.decode() for label in model.run("class_labels", class_index=indices)["label"]]


def _read_folder(folder: Path, labels: Sequence[str]) -> tuple[list[Path], list[int]]:
    """Returns the image files of a folder, with the index of the label of each."""
    indices = {label: index for index, label in enumerate(labels)}
    files = sorted(path for path in folder.glob("*/*") if path.suffix.lower() in FILES)
    if not files:
        raise ModelRepositoryError(
            f"{folder} contains no images; expected one folder of PNG or JPEG files per label, "
            f"such as {folder / labels[0]}."
        )
    if unknown := sorted({path.parent.name for path in files} - indices.keys()):
        raise ModelRepositoryError(
            f"{folder} has the folders {', '.join(unknown)}, which are no labels of the model: "
            f"{', '.join(labels[:20])}."
        )
    return files, [indices[path.parent.name] for path in files]


def _predict(model: SessionModel, files: Sequence[Path]) -> Iterator[npt.NDArray[np.float32]]:
    for start in range(0, len(files), _BATCH):
        content = [path.read_bytes() for path in files[start : start + _BATCH]]
        yield from model.run("predict_bytes", image_bytes=content)["probabilities"]
