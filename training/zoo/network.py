"""The entry of a network in the zoo."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import keras

from training.data.dataset import FASHION_MNIST, Dataset
from training.errors import UnknownNameError
from training.signatures.signature import Signature
from training.zoo.objective import Objective
from training.zoo.recipe import Recipe


@dataclass(frozen=True)
class Network:
    """A network that can be trained.

    Attributes:
        name: Name of the model, in the model repository and in URLs.
        task: Task of the network, such as `classification`.
        summary: Description in one line.
        build: Builds the untrained network.
        objective: Training objective.
        recipes: Training recipes by preset.
        signatures: Returns the signatures that are exported.
        frozen_until: Last layer with pretrained weights that are not trained, if any.
        teacher: Network from whose latest version it is distilled, if any.
        dataset: What it is trained on.
        float16_storage: Exports the weights as float16; the graph widens them.
        starts_from: Network whose latest version has the initial weights of the layers that both
            share, if any.
    """

    name: str
    task: str
    summary: str
    build: Callable[[], keras.Model]
    objective: Objective
    recipes: Mapping[str, Recipe]
    signatures: Callable[[keras.Model], list[Signature]]
    frozen_until: str | None = None
    teacher: str | None = None
    dataset: Dataset = FASHION_MNIST
    float16_storage: bool = False
    starts_from: str | None = None

    def recipe(self, preset: str) -> Recipe:
        """Returns the recipe of a preset.

        Raises:
            UnknownNameError: The network has no such preset.
        """
        if preset not in self.recipes:
            raise UnknownNameError("preset", preset, list(self.recipes))
        return self.recipes[preset]
