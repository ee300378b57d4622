"""Measures an exported version: its SavedModel as it lies in the repository, not Keras weights."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf

from training.data import Split
from training.errors import ModelRepositoryError
from training.pipeline import evaluation_batches


@dataclass(frozen=True)
class Measurement:
    """What was measured of a version.

    Attributes:
        accuracy: The share of images whose class it names.
        parameters: Numbers in its weights.
        size: Bytes of its folder.
    """

    accuracy: float
    parameters: int
    size: int


def measure(version: Path, examples: Split) -> Measurement:
    """Measures a classifier.

    Args:
        version: The folder of its SavedModel.
        examples: What to classify.

    Raises:
        ModelRepositoryError: The folder holds no SavedModel.
    """
    try:
        # The object must stay alive: its signatures hold the weights only weakly.
        saved_model = tf.saved_model.load(str(version))
    except OSError as error:
        raise ModelRepositoryError(
            f"{version} cannot be loaded as a SavedModel: {error}"
        ) from error
    serve = saved_model.signatures["serving_default"]
    right = sum(
        int(np.count_nonzero(serve(images=images)["class_index"].numpy() == labels.numpy()))
        for images, labels in evaluation_batches(examples)
    )
    return Measurement(
        accuracy=right / len(examples),
        parameters=sum(int(np.prod(variable.shape)) for variable in serve.variables),
        size=sum(path.stat().st_size for path in version.rglob("*") if path.is_file()),
    )
