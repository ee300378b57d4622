"""Trains a network by name and exports it as a new version in the model repository."""

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
from training.fitting.execution import ONE_DEVICE, Execution, Job, train_on
from training.zoo import find_network


@dataclass(frozen=True)
class Folders:
    """The folders of a training.

    Attributes:
        data: Folder of Fashion-MNIST; None searches the usual folders.
        models: The model repository.
        runs: Folder with the state of unfinished runs.
    """

    data: Path | None
    models: Path
    runs: Path


def train(  # noqa: PLR0913, PLR0917  # Options of the command line.
    name: str,
    preset: str,
    folders: Folders,
    teacher: str | None = None,
    pretrained: str | None = None,
    execution: Execution = ONE_DEVICE,
) -> Path | None:
    """Trains a network and exports it. A second call resumes an interrupted training.

    Args:
        name: Name of the network.
        preset: Name of the recipe.
        folders: Where to read and write.
        teacher: Network from whose latest version to distil; None takes the network's teacher in
            the zoo, if any.
        pretrained: Weights of frozen layers; None takes those of the recipe, if any.
        execution: Backend, strategy and precision.

    Returns:
        The folder of the new version; None in a worker process that does not export.

    Raises:
        UnknownNameError: The network or preset is unknown.
        DatasetError: The data is missing or damaged.
        ModelRepositoryError: The teacher has not been trained.
        PretrainedWeightsError: The weights of frozen layers cannot be loaded.
        ExecutionError: The network cannot be trained this way.
    """
    chosen = find_network(name)
    recipe = chosen.recipe(preset)
    if pretrained:
        recipe = replace(recipe, pretrained=pretrained)
    origin = Origin(name, preset, recipe, teacher or chosen.teacher)
    # A changed recipe must not resume from the weights of the old one.
    run = [name, preset, recipe.digest(), origin.teacher]
    run_folder = folders.runs / "-".join(part for part in run if part)
    load_teacher = None
    if origin.teacher:
        latest_version(folders.models, find_network(origin.teacher).name)  # Fails early.
        load_teacher = partial(load_network, folders.models, origin.teacher)
    job = Job(name, recipe, load_training(folders.data), run_folder, load_teacher)
    model = train_on(execution, job)
    if model is None:
        return None
    version = export(folders.models, chosen.signatures(model), origin)
    shutil.rmtree(run_folder)
    return version


def export_again(models: Path, name: str) -> Path:
    """Adds a version with the weights of the latest one and the network's current signatures.

    Args:
        models: The model repository.
        name: Name of the network.

    Returns:
        The folder of the new version.

    Raises:
        UnknownNameError: The network is unknown.
        ModelRepositoryError: The repository has no version of it, or one of another network.
    """
    model = load_network(models, name)
    origin = read_origin(latest_version(models, name))
    return export(models, find_network(name).signatures(model), origin)


def load_network(models: Path, name: str) -> keras.Model:
    """Builds a network with the weights of its latest version.

    Args:
        models: The model repository.
        name: Name of the network.

    Raises:
        UnknownNameError: The network is unknown.
        ModelRepositoryError: The repository has no version of it, or one of another network.
    """
    model = find_network(name).build()
    load_weights(model, latest_version(models, name))
    return model
