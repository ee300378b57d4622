"""Trains a network with a recipe; an interrupted run resumes after its last epoch."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import cast

import keras
import tensorflow as tf

from training.data.batches import evaluation_batches, training_batches
from training.data.examples import Examples
from training.data.fashion_mnist import Split
from training.exporting.restore import load_shared_weights
from training.fitting.data_parallel import fit_across_workers, spans_workers
from training.fitting.distillation import make_distiller
from training.fitting.early_stopping import EarlyStopping
from training.fitting.feature_extraction import extract_features
from training.fitting.optimizers import make_optimizer
from training.fitting.parameter_server import fit_with_parameter_servers, uses_parameter_servers
from training.fitting.pretrained import load_pretrained
from training.fitting.time_estimate import TimeEstimate
from training.zoo.network import Network
from training.zoo.objective import Objective
from training.zoo.recipe import Recipe


def fit(  # noqa: PLR0913, PLR0917  # What a training starts from.
    network: Network,
    recipe: Recipe,
    splits: tuple[Examples, Examples],
    run_folder: Path,
    teacher: keras.Model | None = None,
    start: Path | None = None,
) -> keras.Model:
    """Trains a network, with a progress bar on a terminal and one line per epoch elsewhere.

    In the scope of a `tf.distribute` strategy, the strategy's devices share every batch.

    Args:
        network: The network.
        recipe: The training recipe.
        splits: Training and validation set.
        run_folder: Stores the state after each epoch. A second call with the same folder resumes
            from it, with the images in a new order. The caller deletes the folder when the result
            is safe. TensorBoard's logs are kept in the folder `logs` beside it.
        teacher: A trained model to distil from; None trains on labels alone.
        start: A version with initial weights of some layers; None starts from random ones.

    Returns:
        The model with the weights of the best epoch if the recipe stops early, else their moving
        average if the recipe has one, else the last weights.
    """
    keras.utils.set_random_seed(recipe.seed)
    model = network.build()
    network.objective.adapt(model, splits[0])
    if start:
        load_shared_weights(model, start)
    learner = make_distiller(teacher, model) if teacher else model
    if network.frozen_until and recipe.pretrained:
        load_pretrained(model, recipe.pretrained)
        features_folder = run_folder / "features"
        # Only networks of images have frozen layers.
        images = cast("tuple[Split, Split]", splits)
        learner, splits = extract_features(model, network.frozen_until, images, features_folder)
    training, validation = splits
    batches = training_batches(training, recipe.batch_size, recipe.seed, recipe.augmentation).map(
        network.objective.prepare
    )
    _compile(learner, network.objective, recipe, steps_per_epoch=len(batches))
    run = _fit_method(learner)
    run(
        batches,
        validation_data=evaluation_batches(validation).map(network.objective.prepare),
        epochs=recipe.epochs,
        callbacks=_callbacks(recipe, run_folder),
        verbose=1 if sys.stdout.isatty() else 2,
    )
    return model


def _fit_method(learner: keras.Model) -> Callable[..., object]:
    if spans_workers():
        return partial(fit_across_workers, learner)
    if uses_parameter_servers():
        return partial(fit_with_parameter_servers, learner)
    return partial(learner.fit, shuffle=False)  # The batches are shuffled already.


def _compile(
    model: keras.Model, objective: Objective, recipe: Recipe, steps_per_epoch: int
) -> None:
    model.compile(
        optimizer=make_optimizer(recipe, steps_per_epoch),
        loss=objective.loss(recipe) if objective.loss else None,
        metrics=objective.metrics(),
        jit_compile="auto" if _compiles_well() else False,
    )


def _compiles_well() -> bool:
    """Returns whether XLA pays off: on CPUs it makes TensorFlow's convolutions twice as slow."""
    if keras.backend.backend() == "tensorflow":
        return bool(tf.config.list_physical_devices("GPU"))
    return True


def _callbacks(recipe: Recipe, run_folder: Path) -> list[keras.callbacks.Callback]:
    callbacks = [
        # Two checkpoints, since a killed process may leave one of them incomplete.
        keras.callbacks.BackupAndRestore(
            run_folder, double_checkpoint=True, delete_checkpoint=False
        ),
        keras.callbacks.TerminateOnNaN(),
        TimeEstimate(),
        keras.callbacks.TensorBoard(
            run_folder.parent / "logs" / run_folder.name, write_graph=False
        ),
    ]
    if recipe.ema_momentum is not None:
        callbacks.append(keras.callbacks.SwapEMAWeights())
    if recipe.early_stopping is not None:
        callbacks.append(EarlyStopping(recipe.early_stopping, run_folder / "best.npz"))
    return callbacks
