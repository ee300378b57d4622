"""From a network's name to a new version in the model repository."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import keras

from training.data.fashion_mnist import load_training
from training.exporting.export import Origin, export, read_origin
from training.exporting.repository import latest_version
from training.exporting.restore import load_weights
from training.fitting.engine import ONE_DEVICE, Engine, Job, train_on
from training.zoo import find_network


@dataclass(frozen=True)
class Places:
    """Where a training reads and writes.

    Attributes:
        data: The folder of Fashion-MNIST; None looks in the usual places.
        models: The model repository.
        runs: The state of unfinished runs.
    """

    data: Path | None
    models: Path
    runs: Path


def train(  # noqa: PLR0913, PLR0917  # Each is an option of the command line.
    name: str,
    preset: str,
    places: Places,
    teacher: str | None = None,
    pretrained: str | None = None,
    engine: Engine = ONE_DEVICE,
) -> Path | None:
    """Trains a network and exports it. Interrupted, it goes on when it is called again.

    Args:
        name: The network.
        preset: Which of its recipes.
        places: Where it reads and writes.
        teacher: A network whose latest version in the repository is to be imitated; None takes
            the one that the zoo names for the network, if any.
        pretrained: The weights of a frozen part; None takes those that the recipe names, if any.
        engine: What it runs on.

    Returns:
        The new version's folder; None in a process that only helps the one that exports.

    Raises:
        UnknownNameError: There is no such network or preset.
        DatasetError: The data is missing or damaged.
        ModelRepositoryError: The teacher has not been trained.
        PretrainedWeightsError: The weights of a frozen part cannot be had.
        EngineError: The engine cannot train this network.
    """
    chosen = find_network(name)
    recipe = chosen.recipe(preset)
    if pretrained:
        recipe = replace(recipe, pretrained=pretrained)
    origin = Origin(name, preset, recipe, teacher or chosen.teacher)
    # A changed recipe must not go on from the weights of the old one.
    run = [name, preset, recipe.digest(), origin.teacher]
    run_folder = places.runs / "-".join(part for part in run if part)
    taught_by = None
    if origin.teacher:
        latest_version(places.models, find_network(origin.teacher).name)  # Fails before any work.
        taught_by = partial(load_network, places.models, origin.teacher)
    job = Job(name, recipe, load_training(places.data), run_folder, taught_by)
    model = train_on(engine, job)
    if model is None:
        return None
    version = export(places.models, chosen.signatures(model), origin)
    shutil.rmtree(run_folder)
    return version


def export_again(models: Path, name: str) -> Path:
    """Adds a version with the weights of the latest one and the tasks that its network has now.

    Args:
        models: The model repository.
        name: The network.

    Returns:
        The new version's folder.

    Raises:
        UnknownNameError: There is no such network.
        ModelRepositoryError: The repository holds no version of it, or one of another network.
    """
    model = load_network(models, name)
    origin = read_origin(latest_version(models, name))
    return export(models, find_network(name).signatures(model), origin)


def load_network(models: Path, name: str) -> keras.Model:
    """Builds a network with the weights of its latest version.

    Args:
        models: The model repository.
        name: The network.

    Raises:
        UnknownNameError: There is no such network.
        ModelRepositoryError: The repository holds no version of it, or one of another network.
    """
    model = find_network(name).build()
    load_weights(model, latest_version(models, name))
    return model
