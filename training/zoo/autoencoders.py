"""Autoencoders and codecs."""

from __future__ import annotations

from functools import partial

from training.architectures.autoencoder import build_autoencoder, build_linear_autoencoder
from training.architectures.codec import build_codec
from training.zoo.network import Network
from training.zoo.objective import RECONSTRUCTION
from training.zoo.recipe import Recipe
from training.zoo.tasks import autoencoder_tasks, codec_tasks


def _codec(name: str, code_size: int) -> Network:
    return Network(
        name=name,
        task="compression",
        summary=f"a convolutional autoencoder, a code of {code_size} bytes, two numbers in each",
        build=partial(build_codec, code_size=code_size, name=name),
        objective=RECONSTRUCTION,
        recipes={
            "quick": Recipe(epochs=3, weight_decay=0.0, ema_momentum=0.99),
            "full": Recipe(epochs=25, learning_rate=8e-3, weight_decay=0.0),
        },
        signatures=codec_tasks,
    )


NETWORKS = [
    Network(
        name="autoencoder",
        task="compression",
        summary="the course's dense autoencoder: 128, 64, a code of 32 numbers, 64, 128",
        build=build_autoencoder,
        objective=RECONSTRUCTION,
        recipes={
            "quick": Recipe(epochs=3, weight_decay=0.0, ema_momentum=0.99),
            "full": Recipe(epochs=60, weight_decay=0.0),
        },
        signatures=autoencoder_tasks,
    ),
    Network(
        name="linear_autoencoder",
        task="compression",
        summary="two layers without biases, a code of 10 numbers: a truncated SVD, learned",
        build=build_linear_autoencoder,
        objective=RECONSTRUCTION,
        recipes={
            "quick": Recipe(epochs=3, weight_decay=0.0, ema_momentum=0.99),
            "full": Recipe(epochs=20, weight_decay=0.0),
        },
        signatures=autoencoder_tasks,
    ),
    _codec("codec", code_size=32),
    *(_codec(f"codec_{code_size}", code_size) for code_size in (16, 64, 128)),
]
