"""What the zoo says of a network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import keras

from training.errors import UnknownNameError
from training.signatures.signature import Signature
from training.zoo.objective import Objective
from training.zoo.recipe import Recipe


@dataclass(frozen=True)
class Network:
    """One row of the zoo.

    Attributes:
        name: The model's name under `models/` and in a server's URLs.
        task: What the network does, in a few words.
        summary: What the network is, in one line.
        build: Builds it, untrained.
        objective: What it is trained for.
        recipes: How to train it, by preset.
        signatures: The tasks that its export carries.
        frozen: The layer up to which it has pretrained weights and is not trained, if any.
        teacher: The network whose latest version it imitates, if it is distilled.
    """

    name: str
    task: str
    summary: str
    build: Callable[[], keras.Model]
    objective: Objective
    recipes: Mapping[str, Recipe]
    signatures: Callable[[keras.Model], list[Signature]]
    frozen: str | None = None
    teacher: str | None = None

    def recipe(self, preset: str) -> Recipe:
        """Returns the recipe of a preset.

        Raises:
            UnknownNameError: The network has no such preset.
        """
        if preset not in self.recipes:
            raise UnknownNameError("preset", preset, list(self.recipes))
        return self.recipes[preset]
