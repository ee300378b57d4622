"""Fake models of a few lines instead of trained ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import tensorflow as tf

from training.data.fashion_mnist import Split
from training.evaluation.evaluate import Measurement
from training.evaluation.latency import Latency
from training.exporting.export import Origin
from training.report.report_data import ReportData
from training.report.reported_model import ReportedModel
from training.zoo import find_network
from training.zoo.recipe import Recipe

Outputs = dict[str, np.ndarray]


def fake_model(
    name: str,
    *,
    like: str = "cnn",
    teacher: str | None = None,
    latency: tuple[float, float] = (1, 2),
    quality: float = 0.5,
    parameters: int = 1_000,
    probabilities: np.ndarray | None = None,
    **signatures: Callable[..., Outputs],
) -> ReportedModel:
    """Makes a model from functions of numpy arrays."""

    def as_signature(function: Callable[..., Outputs]) -> Callable[..., dict[str, tf.Tensor]]:
        def signature(**inputs: np.ndarray) -> dict[str, tf.Tensor]:
            return {key: tf.constant(value) for key, value in function(**inputs).items()}

        return signature

    loaded = {key: as_signature(function) for key, function in signatures.items()}
    return ReportedModel(
        network=replace(find_network(like), name=name),
        version=Path("models") / name / "3",
        origin=Origin(name, "full", Recipe(epochs=7), teacher),
        saved_model=SimpleNamespace(signatures=loaded),
        measurement=Measurement(quality, parameters, 2_000_000, probabilities),
        latency=Latency(*latency),
    )


def codec(name: str, levels: int) -> ReportedModel:
    """A codec that keeps each image's mean, rounded to levels, in the first of its four bytes."""

    def compress(images: np.ndarray) -> Outputs:
        code = np.zeros((len(images), 4), np.uint8)
        code[:, 0] = np.rint(images.mean(axis=(1, 2, 3)) / 255 * levels)
        return {"code": code}

    def decompress(code: np.ndarray) -> Outputs:
        greys = code[:, :1, None, None].astype(np.float32) * 255 / levels
        return {"images": np.broadcast_to(greys, (len(code), 28, 28, 1)).copy()}

    return fake_model(name, like="codec", compress=compress, decompress=decompress)


def report_data(folder: Path, *models: ReportedModel, count: int = 40) -> ReportData:
    """Data of models on noise, whose labels go round the classes."""
    images = np.random.default_rng(0).integers(0, 256, (count, 28, 28), dtype=np.uint8)
    return ReportData(models, Split(images, np.arange(count, dtype=np.uint8) % 10), folder)


def predictions(count: int, right: int) -> np.ndarray:
    """Probabilities of examples whose labels go round the classes; the first few are right."""
    labels = np.arange(count) % 10
    named = np.where(np.arange(count) < right, labels, (labels + 1) % 10)
    return (0.8 * np.eye(10)[named] + 0.02).astype(np.float32)
