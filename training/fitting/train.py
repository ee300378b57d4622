"""Trains a network by name and exports it as a new version in the model repository."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import keras

from training.architectures.float16_storage import store_as_float16
from training.data.dataset import FASHION_MNIST, Dataset
from training.data.examples import Examples
from training.errors import PretrainedWeightsError
from training.exporting.export import Origin, export, read_origin
from training.exporting.repository import latest_version
from training.exporting.restore import load_weights
from training.fitting.comparison import Comparison, compare, refuse_worse
from training.fitting.execution import ONE_DEVICE, Execution, Job, train_on
from training.fitting.pretrained import check_source
from training.signatures.signature import Signature
from training.zoo import find_network
from training.zoo.network import Network


@dataclass(frozen=True)
class Folders:
    """Where a training reads and writes.

    Attributes:
        data: Folder of Fashion-MNIST; None searches the usual folders.
        models: The model repository.
        runs: Folder with the state of unfinished runs.
        text: The text file for networks of texts; None takes the King James Bible.
    """

    data: Path | None
    models: Path
    runs: Path
    text: Path | None = None

    def source(self, dataset: Dataset) -> Path | None:
        """Returns where a data set is read from; None searches the usual places."""
        return self.data if dataset is FASHION_MNIST else self.text


@dataclass(frozen=True)
class Training:
    """A training that can start, as `plan_training` returns it.

    Attributes:
        name: Name of the model in the repository.
        origin: Network, recipe and teacher.
        splits: Training and validation set.
        models: The model repository.
        run_folder: Stores the state of the run; it exists if the run was interrupted.
        teacher: The version to distil from, if any.
        start: The version with the initial weights of some layers, if any.
    """

    name: str
    origin: Origin
    splits: tuple[Examples, Examples]
    models: Path
    run_folder: Path
    teacher: Path | None = None
    start: Path | None = None

    def __str__(self) -> str:
        verb = "Resuming" if self.run_folder.exists() else "Starting"
        lesson = f", distilled from {self.teacher}" if self.teacher else ""
        return f"{verb} {self.run_folder}: {self.origin.network}{lesson}, to publish as {self.name}"


TRY = "_try"
"""Suffix of the names of models whose versions are always published, however bad they are."""


def default_name(network: str, preset: str) -> str:
    """Returns the name under which a network is published: the quick preset makes tries."""
    return network + TRY if preset == "quick" else network


def plan_training(  # noqa: PLR0913, PLR0917  # Options of the command line.
    network: str,
    preset: str,
    folders: Folders,
    name: str | None = None,
    teacher: str | None = None,
    pretrained: str | None = None,
) -> Training:
    """Checks the options of a training, and reads the data, before any work.

    Args:
        network: Name of the network.
        preset: Name of the recipe.
        folders: Where to read and write.
        name: Name of the model in the repository; None takes `default_name`.
        teacher: Network from whose latest version to distil; None takes the network's teacher in
            the zoo, if any.
        pretrained: Weights of frozen layers; None takes those of the recipe, if any.

    Raises:
        UnknownNameError: The network or preset is unknown.
        ModelRepositoryError: The teacher, or the network to start from, has not been trained.
        PretrainedWeightsError: The network has no frozen layers, or the weights are of no known
            kind.
        DatasetError: The data is missing or damaged.
    """
    chosen = find_network(network)
    recipe = chosen.recipe(preset)
    if pretrained:
        if not chosen.frozen_until:
            raise PretrainedWeightsError(
                f"Received --weights {pretrained}, which are for frozen layers; {network} has "
                "none: leave it out."
            )
        check_source(pretrained)
        recipe = replace(recipe, pretrained=pretrained)
    origin = Origin(network, preset, recipe, teacher or chosen.teacher)
    # A changed recipe or teacher must not resume from the weights of the old one.
    run = [network, preset, recipe.digest()]
    if folders.text is not None:
        run.append(folders.text.stem)
    version = None
    if origin.teacher:
        version = latest_version(folders.models, find_network(origin.teacher).name)
        run += [origin.teacher, version.name]
    start = None
    if chosen.starts_from:
        start = latest_version(folders.models, chosen.starts_from)
        run += [chosen.starts_from, start.name]
    return Training(
        name or default_name(network, preset),
        origin,
        chosen.dataset.load_training(folders.source(chosen.dataset)),
        folders.models,
        folders.runs / "-".join(run),
        version,
        start,
    )


def train(
    training: Training, execution: Execution = ONE_DEVICE, publish_worse: bool = False
) -> tuple[Path, Comparison] | None:
    """Trains a network and exports it. A second call resumes an interrupted training.

    Args:
        training: The training.
        execution: Backend, strategy and precision.
        publish_worse: Publishes the network even if it is worse than the version it replaces.

    Returns:
        The folder of the new version, and its quality beside that of the version it replaces; None
        in a worker process that does not export.

    Raises:
        PretrainedWeightsError: The weights of frozen layers cannot be loaded.
        ExecutionError: The network cannot be trained this way.
        WorseModelError: The network is worse than the version it would replace. The run's state is
            kept, so that another call can publish it.
    """
    origin, models = training.origin, training.models
    load_teacher = partial(load_network, training.teacher) if training.teacher else None
    job = Job(
        origin.network,
        origin.recipe,
        training.splits,
        training.run_folder,
        load_teacher,
        training.start,
    )
    model = train_on(execution, job)
    if model is None:
        return None
    network = find_network(origin.network)
    comparisons = []

    def check(version: Path) -> None:
        validation = training.splits[1]
        comparison = compare(models, training.name, version, network.objective, validation)
        if not publish_worse and not training.name.endswith(TRY):
            refuse_worse(comparison, training.name, training.run_folder)
        comparisons.append(comparison)

    version = export(models, _signatures(network, model), origin, training.name, check)
    shutil.rmtree(training.run_folder)
    return version, comparisons[0]


def export_again(models: Path, name: str) -> Path:
    """Adds a version with the weights of the latest one and the network's current signatures.

    Args:
        models: The model repository.
        name: Name of the model.

    Returns:
        The folder of the new version.

    Raises:
        ModelRepositoryError: The repository has no version of it, or one of another network.
    """
    version = latest_version(models, name)
    origin = read_origin(version)
    network = find_network(origin.network)
    return export(models, _signatures(network, load_network(version)), origin, name)


def _signatures(network: Network, model: keras.Model) -> list[Signature]:
    return network.signatures(store_as_float16(model) if network.float16_storage else model)


def load_network(version: Path) -> keras.Model:
    """Builds the network of a version with its weights.

    Args:
        version: The folder of the version.

    Raises:
        ModelRepositoryError: The version was not written by a training, or its weights do not fit.
    """
    model = find_network(read_origin(version).network).build()
    load_weights(model, version)
    return model
