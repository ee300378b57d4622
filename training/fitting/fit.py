"""Trains a network by a recipe; a run that was interrupted goes on where its last epoch ended."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import keras
import tensorflow as tf

from training.data.fashion_mnist import Split
from training.fitting.distillation import make_distiller
from training.fitting.early_stopping import EarlyStopping
from training.fitting.frozen import behind
from training.fitting.optimizers import make_optimizer
from training.fitting.pretrained import load_pretrained
from training.fitting.strategy import fit_across_workers, spans_workers
from training.zoo.network import Network
from training.zoo.objective import Objective
from training.zoo.pipeline import evaluation_batches, training_batches
from training.zoo.recipe import Recipe


def fit(
    network: Network,
    recipe: Recipe,
    splits: tuple[Split, Split],
    run_folder: Path,
    teacher: keras.Model | None = None,
) -> keras.Model:
    """Trains a network, with a progress bar on a terminal and a line an epoch elsewhere.

    In the scope of a `tf.distribute` strategy it is trained on all of the strategy's devices, each
    of which takes its share of every batch.

    Args:
        network: What to train.
        recipe: How to train it.
        splits: What it learns from, and what its quality is watched on.
        run_folder: Holds the state after each epoch. A second call with the same folder goes on
            from there, over the remaining epochs in a new order; the caller deletes the folder
            once the result is safe. TensorBoard's logs outlive it in the folder `logs` beside it.
        teacher: A trained model that the network shall imitate; None learns from labels alone.

    Returns:
        The model with the weights that the recipe says: those of the best epoch if it stops
        early, else the moving average, if there is one, else the last.
    """
    keras.utils.set_random_seed(recipe.seed)
    model = network.build()
    learner = make_distiller(teacher, model) if teacher else model
    if network.frozen and recipe.pretrained:
        load_pretrained(model, recipe.pretrained)
        learner, splits = behind(model, network.frozen, splits, run_folder / "features")
    training, validation = splits
    batches = training_batches(training, recipe).map(network.objective.prepare)
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
    return partial(learner.fit, shuffle=False)  # The batches already are.


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
    """On a CPU, TensorFlow's convolutions take more than twice as long with XLA."""
    if keras.backend.backend() == "tensorflow":
        return bool(tf.config.list_physical_devices("GPU"))
    return True


def _callbacks(recipe: Recipe, run_folder: Path) -> list[keras.callbacks.Callback]:
    callbacks = [
        # Two checkpoints, since one of them may be half-written when the process is killed.
        keras.callbacks.BackupAndRestore(
            run_folder, double_checkpoint=True, delete_checkpoint=False
        ),
        keras.callbacks.TerminateOnNaN(),
        keras.callbacks.TensorBoard(
            run_folder.parent / "logs" / run_folder.name, write_graph=False
        ),
    ]
    if recipe.ema_momentum is not None:
        callbacks.append(keras.callbacks.SwapEMAWeights())
    if recipe.early_stopping is not None:
        callbacks.append(EarlyStopping(recipe.early_stopping, run_folder / "best.npz"))
    return callbacks
