"""Trains a network by a recipe; a run that was interrupted goes on where its last epoch ended."""

from __future__ import annotations

import sys
from pathlib import Path

import keras

from training.data import Split
from training.pipeline import evaluation_batches, training_batches
from training.recipe import Recipe
from training.zoo import Network


def fit(
    network: Network, recipe: Recipe, training: Split, validation: Split, run_folder: Path
) -> keras.Model:
    """Trains a network, with a progress bar on a terminal and a line an epoch elsewhere.

    Args:
        network: What to train.
        recipe: How to train it.
        training: What it learns from.
        validation: What its accuracy is watched on.
        run_folder: Holds the state after each epoch. A second call with the same folder goes on
            from there, over the remaining epochs in a new order; the caller deletes the folder
            once the result is safe.

    Returns:
        The model with the moving average of its weights, the last epoch done.
    """
    keras.utils.set_random_seed(recipe.seed)
    model = network.build()
    batches = training_batches(training, recipe)
    _compile(model, recipe, steps_per_epoch=len(batches))
    model.fit(
        batches,
        validation_data=evaluation_batches(validation),
        epochs=recipe.epochs,
        shuffle=False,  # The batches already are.
        callbacks=[
            # Two checkpoints, since one of them may be half-written when the process is killed.
            keras.callbacks.BackupAndRestore(
                run_folder, double_checkpoint=True, delete_checkpoint=False
            ),
            keras.callbacks.SwapEMAWeights(),
            keras.callbacks.TerminateOnNaN(),
        ],
        verbose=1 if sys.stdout.isatty() else 2,
    )
    return model


def _compile(model: keras.Model, recipe: Recipe, steps_per_epoch: int) -> None:
    learning_rate = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0,
        warmup_target=recipe.learning_rate,
        warmup_steps=steps_per_epoch,
        decay_steps=max(1, (recipe.epochs - 1) * steps_per_epoch),
    )
    model.compile(
        optimizer=keras.optimizers.AdamW(
            learning_rate,
            weight_decay=recipe.weight_decay,
            use_ema=True,
            ema_momentum=recipe.ema_momentum,
        ),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
