"""Which tasks the networks of a kind carry."""

from __future__ import annotations

import keras

from training.data import CLASS_NAMES
from training.signatures.class_labels import class_labels
from training.signatures.predict import predict, predict_bytes
from training.signatures.saliency import saliency_gradient
from training.signatures.signature import Signature


def classifier_tasks(model: keras.Model) -> list[Signature]:
    """Returns the signatures of any classifier from images to logits."""
    return [
        predict(model, CLASS_NAMES),
        predict_bytes(model, CLASS_NAMES),
        class_labels(CLASS_NAMES),
        saliency_gradient(model),
    ]


def convolutional_tasks(model: keras.Model) -> list[Signature]:
    """Returns the signatures of a classifier with convolutions."""
    return classifier_tasks(model)
