"""Data parallelism with `tf.distribute`: on the GPUs of one machine, or across workers.

Keras 3.15's `fit` fails across workers, because it builds the model from a distributed batch as if
it were local (https://github.com/keras-team/keras/issues/20585). The training loop here runs the
same train step, callbacks and metrics.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from training.errors import ExecutionError

# The roles in the cluster that each strategy needs.
_ROLES = {"multiworker": ("worker",), "parameter_server": ("chief", "worker", "ps")}


def make_strategy(name: str) -> tf.distribute.Strategy:
    """Returns a strategy. Build, compile and fit the network in its scope.

    Args:
        name: `mirrored` copies the model to every GPU of this machine. `multiworker` joins the
            cluster in the environment variable TF_CONFIG and waits for its workers, which run the
            same command and share the folder of runs. `parameter_server` sends the steps to the
            workers in TF_CONFIG and keeps the weights on its servers.

    Raises:
        ExecutionError: TF_CONFIG is missing or does not describe such a cluster.
    """
    if name == "mirrored":
        return tf.distribute.MirroredStrategy()
    task_type(name)
    if name == "multiworker":
        return tf.distribute.MultiWorkerMirroredStrategy()
    return tf.distribute.ParameterServerStrategy(
        tf.distribute.cluster_resolver.TFConfigClusterResolver()
    )


def task_type(strategy: str) -> str:
    """Returns the role of this process in the cluster of TF_CONFIG, such as `worker`.

    Args:
        strategy: `multiworker` or `parameter_server`.

    Raises:
        ExecutionError: TF_CONFIG is missing or does not describe a cluster for the strategy.
    """
    configuration, roles = os.environ.get("TF_CONFIG", ""), _ROLES[strategy]
    try:
        content = json.loads(configuration)
        cluster, task = content["cluster"], content["task"]
        role = str(task["type"])
        valid = role in roles and all(cluster[role] for role in roles)
        valid = valid and 0 <= task["index"] < len(cluster[role])
    except (ValueError, KeyError, TypeError):
        valid = False
    if not valid:
        example = {
            "cluster": {role: [f"{role}1:12345", f"{role}2:12345"] for role in roles},
            "task": {"type": roles[-1], "index": 0},
        }
        raise ExecutionError(
            f"Received TF_CONFIG={configuration!r}; expected the addresses of "
            f"{', '.join(roles)} and the index of this one, such as {json.dumps(example)}."
        )
    return role


def is_chief() -> bool:
    """Returns whether this process saves and exports: the only one, or worker 0."""
    resolver = tf.distribute.get_strategy().cluster_resolver
    return resolver is None or not resolver.task_id


def spans_workers() -> bool:
    """Returns whether the strategy in scope spans processes, so that `fit` cannot be used."""
    return isinstance(tf.distribute.get_strategy(), tf.distribute.MultiWorkerMirroredStrategy)


@contextmanager
def worker_folder(run_folder: Path) -> Iterator[Path]:
    """Provides the folder in which this process saves its state.

    Every worker has to save, since saving is a collective operation. Only the chief's state is
    kept: the other workers start from a copy of it and delete theirs at the end.

    Args:
        run_folder: The chief's folder, shared by all workers.
    """
    if is_chief():
        yield run_folder
        return
    rank = tf.distribute.get_strategy().cluster_resolver.task_id
    folder = run_folder.with_name(f"{run_folder.name}-worker{rank}")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if run_folder.exists():
        shutil.copytree(run_folder, folder, dirs_exist_ok=True)
    yield folder
    shutil.rmtree(folder)


def fit_across_workers(
    learner: keras.Model,
    batches: tf.data.Dataset,
    *,
    validation_data: tf.data.Dataset,
    **options: Any,
) -> None:
    """Fits a model on all workers of the strategy in scope, like `keras.Model.fit`.

    Args:
        learner: A compiled model, built in the same scope.
        batches: Training batches for all workers together, the same on each worker.
        validation_data: Validation batches, likewise.
        **options: Further arguments of `run_epochs`.
    """
    strategy = tf.distribute.get_strategy()
    learner.optimizer.build(learner.trainable_variables)
    train = _make_pass(learner, learner.train_step, batches)

    def training_pass() -> dict[str, float]:
        metrics = train()
        _average_statistics(learner, strategy)
        return metrics

    validation_pass = _make_pass(learner, learner.test_step, validation_data)
    run_epochs(learner, training_pass, validation_pass, steps=len(batches), **options)


def run_epochs(  # noqa: PLR0913  # The arguments of `fit`.
    learner: keras.Model,
    training_pass: Callable[[], dict[str, float]],
    validation_pass: Callable[[], dict[str, float]],
    *,
    steps: int,
    epochs: int,
    callbacks: list[keras.callbacks.Callback],
    verbose: int,
) -> None:
    """Runs the epochs of a training, with Keras's callbacks.

    Args:
        learner: The compiled model; its optimizer is built.
        training_pass: Trains on all batches once and returns the metrics.
        validation_pass: Evaluates all validation batches and returns the metrics.
        steps: Training steps per epoch.
        epochs: Number of epochs.
        callbacks: Callbacks, which receive the same metrics on every worker.
        verbose: 1 shows a progress bar, 2 prints one line per epoch.
    """
    called = keras.callbacks.CallbackList(
        callbacks, add_progbar=True, model=learner, epochs=epochs, steps=steps, verbose=verbose
    )
    logs: dict[str, float] = {}
    called.on_train_begin()
    for epoch in range(learner._initial_epoch or 0, epochs):  # BackupAndRestore sets it.
        called.on_epoch_begin(epoch)
        logs = training_pass()
        called.on_test_begin()
        logs |= {f"val_{name}": value for name, value in validation_pass().items()}
        called.on_test_end(logs)
        called.on_epoch_end(epoch, logs)
        if learner.stop_training:
            break
    learner.optimizer.finalize_variable_values(learner.trainable_variables)
    called.on_train_end(logs)


def _make_pass(
    learner: keras.Model,
    step: Callable[[Any], Any],
    batches: tf.data.Dataset,
) -> Callable[[], dict[str, float]]:
    """Returns a function that runs a step on every batch and returns the metrics of all workers."""
    strategy = tf.distribute.get_strategy()
    distributed = strategy.experimental_distribute_dataset(batches)

    @tf.function  # type: ignore[untyped-decorator]
    def step_everywhere(batch: Any) -> None:
        strategy.run(step, args=(batch,))

    def run() -> dict[str, float]:
        learner.reset_metrics()
        for batch in distributed:
            step_everywhere(batch)
        return {name: float(value) for name, value in learner.get_metrics_result().items()}

    return run


@tf.function  # type: ignore[untyped-decorator]
def _average_statistics(learner: keras.Model, strategy: tf.distribute.Strategy) -> None:
    """Averages the moving means and variances, which each worker computes from its own images."""

    def average() -> None:
        replica = tf.distribute.get_replica_context()
        for variable in learner.non_trainable_variables:
            if keras.backend.is_float_dtype(variable.dtype):
                variable.assign(replica.all_reduce(tf.distribute.ReduceOp.MEAN, variable.value))

    strategy.run(average)
