"""Data parallelism through tf.distribute: on the GPUs of one machine, or across workers.

Across workers Keras 3.15's own `fit` fails, since it builds the model from the first batch as if
all of it lay on this machine (https://github.com/keras-team/keras/issues/20585). The loop here
runs the same train step, callbacks and metrics.
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

from training.errors import EngineError

_EXAMPLE = {
    "cluster": {"worker": ["host1:12345", "host2:12345"]},
    "task": {"type": "worker", "index": 0},
}


def make_strategy(name: str) -> tf.distribute.Strategy:
    """Makes a strategy, in whose scope a network is to be built, compiled and fitted.

    Args:
        name: `mirrored` copies the model to every GPU of this machine. `multiworker` joins the
            cluster that the environment variable TF_CONFIG describes, and waits for its workers;
            all of them run the same command and share the folder of runs.

    Raises:
        EngineError: TF_CONFIG is missing or does not describe a cluster of workers.
    """
    if name == "mirrored":
        return tf.distribute.MirroredStrategy()
    _check_cluster(os.environ.get("TF_CONFIG", ""))
    return tf.distribute.MultiWorkerMirroredStrategy()


def is_chief() -> bool:
    """Tells whether this process is the one that saves and exports: a lone one, or worker 0."""
    resolver = tf.distribute.get_strategy().cluster_resolver
    return resolver is None or not resolver.task_id


def spans_workers() -> bool:
    """Tells whether the strategy in scope joins processes, so that `fit` cannot be used."""
    return isinstance(tf.distribute.get_strategy(), tf.distribute.MultiWorkerMirroredStrategy)


@contextmanager
def worker_folder(run_folder: Path) -> Iterator[Path]:
    """Gives the folder in which this process keeps its state.

    Saving has to happen on every worker, since it makes them talk to each other. Only the chief's
    state counts: a helper begins with a copy of it, and deletes its own in the end.

    Args:
        run_folder: The chief's; all workers see the same one.
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


def fit_across_workers(  # noqa: PLR0913  # Those of `fit`.
    learner: keras.Model,
    batches: tf.data.Dataset,
    *,
    validation_data: tf.data.Dataset,
    epochs: int,
    callbacks: list[keras.callbacks.Callback],
    verbose: int,
) -> None:
    """Does what `fit` does, on all workers of the strategy in whose scope it is called.

    Args:
        learner: A compiled model, made in the same scope.
        batches: What to learn from: batches for all workers together, the same on each.
        validation_data: What to validate on, likewise.
        epochs: How many.
        callbacks: What to call; they are given the same metrics on every worker.
        verbose: 1 shows a progress bar, 2 a line an epoch.
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
    """Returns what takes a step a batch, over all of them, and gives the metrics of all workers."""
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
    """Gives all workers the same moving means and variances, which each takes of its own images."""

    def average() -> None:
        replica = tf.distribute.get_replica_context()
        for variable in learner.non_trainable_variables:
            if keras.backend.is_float_dtype(variable.dtype):
                variable.assign(replica.all_reduce(tf.distribute.ReduceOp.MEAN, variable.value))

    strategy.run(average)


def _check_cluster(configuration: str) -> None:
    """Raises an error unless TF_CONFIG names the workers and which of them this process is."""
    try:
        content = json.loads(configuration)
        workers, index = content["cluster"]["worker"], content["task"]["index"]
        valid = content["task"]["type"] == "worker" and 0 <= index < len(workers)
    except (ValueError, KeyError, TypeError):
        valid = False
    if not valid:
        raise EngineError(
            f"Received TF_CONFIG={configuration!r}; expected the addresses of the workers and "
            f"which of them this one is, such as {json.dumps(_EXAMPLE)}."
        )
