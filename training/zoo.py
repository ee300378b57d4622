"""The networks that can be trained: what each one is, how it is trained, what its export can do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import keras

from training.architectures.cnn import build_cnn
from training.data import CLASS_NAMES
from training.errors import UnknownNameError
from training.recipe import Recipe
from training.signatures.predict import predict, predict_bytes
from training.signatures.saliency import saliency_gradient
from training.signatures.signature import Signature


@dataclass(frozen=True)
class Network:
    """One row of the zoo.

    Attributes:
        name: The model's name under `models/` and in a server's URLs.
        task: What the network does, in a few words.
        summary: What the network is, in one line.
        build: Builds it, untrained.
        recipes: How to train it, by preset.
        signatures: The tasks that its export carries.
    """

    name: str
    task: str
    summary: str
    build: Callable[[], keras.Model]
    recipes: Mapping[str, Recipe]
    signatures: Callable[[keras.Model], list[Signature]]

    def recipe(self, preset: str) -> Recipe:
        """Returns the recipe of a preset.

        Raises:
            UnknownNameError: The network has no such preset.
        """
        if preset not in self.recipes:
            raise UnknownNameError("preset", preset, list(self.recipes))
        return self.recipes[preset]


def network(name: str) -> Network:
    """Returns the network of that name.

    Raises:
        UnknownNameError: The zoo has no such network.
    """
    if name not in NETWORKS:
        raise UnknownNameError("network", name, list(NETWORKS))
    return NETWORKS[name]


def _classifier_signatures(model: keras.Model) -> list[Signature]:
    return [
        predict(model, CLASS_NAMES),
        predict_bytes(model, CLASS_NAMES),
        saliency_gradient(model),
    ]


NETWORKS = {
    entry.name: entry
    for entry in [
        Network(
            name="cnn",
            task="classification",
            summary="the course's first CNN: convolutions of 32, 64 and 64, a dense layer of 64",
            build=build_cnn,
            recipes={
                "quick": Recipe(epochs=3, ema_momentum=0.99),
                "full": Recipe(epochs=40, augment=True),
            },
            signatures=_classifier_signatures,
        ),
    ]
}
