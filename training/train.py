"""From a network's name to a new version in the model repository."""

from __future__ import annotations

import shutil
from pathlib import Path

from training.data import load_training
from training.export import Origin, export
from training.fit import fit
from training.zoo import network


def train(name: str, preset: str, data: Path | None, models: Path, runs: Path) -> Path:
    """Trains a network and exports it. Interrupted, it goes on when it is called again.

    Args:
        name: The network.
        preset: Which of its recipes.
        data: Where Fashion-MNIST lies; None looks in the usual places.
        models: The model repository.
        runs: Where the state of unfinished runs is kept.

    Returns:
        The new version's folder.

    Raises:
        UnknownNameError: There is no such network or preset.
        DatasetError: The data is missing or damaged.
    """
    chosen = network(name)
    recipe = chosen.recipe(preset)
    training, validation = load_training(data)
    # A changed recipe must not go on from the weights of the old one.
    run_folder = runs / f"{name}-{preset}-{recipe.digest()}"
    model = fit(chosen, recipe, training, validation, run_folder)
    version = export(models, chosen.signatures(model), Origin(name, preset, recipe))
    shutil.rmtree(run_folder)
    return version
