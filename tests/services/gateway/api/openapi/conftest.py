"""The application over fakes of the models that the document's examples name."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from flask import Flask

from services.gateway.app import create_app
from services.gateway.settings import Settings
from services.gateway.upstream.model_server import ModelServer
from tests.fakes import (
    CLASSIFIER,
    EXAMPLES_MODEL,
    IMAGES,
    LABELS,
    VISUALIZATION,
    WRITER,
    FakeModelServer,
    FakeSignature,
    FakeVersion,
)

CNN = {
    **CLASSIFIER,
    "predict_bytes": FakeSignature(
        lambda inputs: {"label": np.full(len(inputs["image_bytes"]), LABELS[0], object)},
        {"image_bytes": (np.object_, (-1,))},
        {"label": (np.object_, (-1,))},
    ),
    "activations": FakeSignature(
        lambda inputs: {"conv1": inputs["images"] * np.ones(4, np.float32)},
        IMAGES,
        {"conv1": (np.float32, (-1, 28, 28, 4))},
    ),
    "feature_visualization_conv1": VISUALIZATION,
}


def blank(count: int) -> np.ndarray:
    return np.zeros((count, 28, 28, 1), np.float32)


VAE = {
    "generate": FakeSignature(
        lambda inputs: {
            "images": blank(len(inputs["seed"])),
            "latent": inputs["temperature"][:, np.newaxis] * np.ones((1, 20), np.float32),
        },
        {"seed": (np.int64, (-1,)), "temperature": (np.float32, (-1,))},
        {**IMAGES, "latent": (np.float32, (-1, 20))},
    ),
    "decode_latent": FakeSignature(
        lambda inputs: {"images": blank(len(inputs["latent"]))},
        {"latent": (np.float32, (-1, 20))},
        IMAGES,
    ),
    "encode_latent": FakeSignature(
        lambda inputs: {"mean": np.ones((len(inputs["images"]), 20), np.float32)},
        IMAGES,
        {"mean": (np.float32, (-1, 20))},
    ),
    # Since the examples of a call share one path.
    **WRITER,
}
CODEC = {
    "compress": FakeSignature(
        lambda inputs: {"code": np.ones((len(inputs["images"]), 32), np.uint8)},
        IMAGES,
        {"code": (np.uint8, (-1, 32))},
    ),
    "decompress": FakeSignature(
        lambda inputs: {"images": blank(len(inputs["code"]))},
        {"code": (np.uint8, (-1, 32))},
        IMAGES,
    ),
}
MODELS = {"cnn": CNN, "vae": VAE, "codec": CODEC, "half_plus_two": EXAMPLES_MODEL}


@pytest.fixture(scope="module")
def app() -> Iterator[Flask]:
    models = {name: {1: FakeVersion(signatures)} for name, signatures in MODELS.items()}
    fake = FakeModelServer(models, labels={"stable": 1}).start()
    settings = Settings(models=tuple(MODELS), model_server=fake.address, timeout_seconds=5)
    model_server = ModelServer(fake.address)
    yield create_app(settings, model_server)
    model_server.close()
    fake.stop()
