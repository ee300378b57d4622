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

_EXAMPLE = {
    "cluster": {"worker": ["host1:12345", "host2:12345"]},
    "task": {"type": "worker", "index": 0},
}


def make_strategy(name: str) -> tf.distribute.Strategy:
    """Returns a strategy. Build, compile and fit the network in its scope.

    Args:
        name: `mirrored` copies the model to every GPU of this machine. `multiworker` joins the
            cluster in the environment variable TF_CONFIG and waits for its workers, which run the
            same command and share the folder of runs.

    Raises:
        ExecutionError: TF_CONFIG is missing or does not describe a cluster of workers.
    """
    if name == "mirrored":
        return tf.distribute.MirroredStrategy()
    _check_cluster(os.environ.get("TF_CONFIG", ""))
    return tf.distribute.MultiWorkerMirroredStrategy()


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


def fit_across_workers(  # noqa: PLR0913  # The arguments of `fit`.
    learner: keras.Model,
    batches: tf.data.Dataset,
    *,
    validation_data: tf.data.Dataset,
    epochs: int,
    callbacks: list[keras.callbacks.Callback],
    verbose: int,
) -> None:
    """Fits a model on all workers of the strategy in scope, like `keras.Model.fit`.

    Args:
        learner: A compiled model, built in the same scope.
        batches: Training batches for all workers together, the same on each worker.
        validation_data: Validation batches, likewise.
        epochs: Number of epochs.
        callbacks: Callbacks, which receive the same metrics on every worker.
        verbose: 1 shows a progress bar, 2 prints one line per epoch.
    """
    strategy = tf.distribute.get_strategy()
    called = keras.callbacks.CallbackList(
        callbacks,
        add_progbar=True,
        model=learner,
        epochs=epochs,
        steps=len(batches),
        verbose=verbose,
    )
    learner.optimizer.build(learner.trainable_variables)
    training_pass = _make_pass(learner, learner.train_step, batches)
    validation_pass = _make_pass(learner, learner.test_step, validation_data)
    logs: dict[str, float] = {}
    called.on_train_begin()
    for epoch in range(learner._initial_epoch or 0, epochs):  # BackupAndRestore sets it.
        called.on_epoch_begin(epoch)
        logs = training_pass()
        _average_statistics(learner, strategy)
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


def _check_cluster(configuration: str) -> None:
    """Raises an error unless TF_CONFIG lists the workers and the index of this one."""
    try:
        content = json.loads(configuration)
        workers, index = content["cluster"]["worker"], content["task"]["index"]
        valid = content["task"]["type"] == "worker" and 0 <= index < len(workers)
    except (ValueError, KeyError, TypeError):
        valid = False
    if not valid:
        raise ExecutionError(
            f"Received TF_CONFIG={configuration!r}; expected the addresses of the workers and the "
            f"index of this one, such as {json.dumps(_EXAMPLE)}."
        )
