"""Asynchronous data parallelism: workers read the weights from servers and send them gradients.

No worker waits for another, so a gradient may be of weights that another worker has changed since.
See https://www.tensorflow.org/tutorials/distribute/parameter_server_training. Keras's `fit` does
not support it; the training loop here runs the same train step, callbacks and metrics.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from training.fitting.data_parallel import run_epochs

# Workers read the same batches. So many are shuffled, differently by each of them.
SHUFFLED_BATCHES = 50


def serve_cluster() -> None:
    """Serves as the worker or parameter server of TF_CONFIG, until the process is stopped."""
    resolver = tf.distribute.cluster_resolver.TFConfigClusterResolver()
    server = tf.distribute.Server(
        resolver.cluster_spec(), job_name=resolver.task_type, task_index=resolver.task_id
    )
    server.join()


def uses_parameter_servers() -> bool:
    """Returns whether the strategy in scope keeps the weights on parameter servers."""
    return isinstance(tf.distribute.get_strategy(), tf.distribute.ParameterServerStrategy)


def fit_with_parameter_servers(
    learner: keras.Model,
    batches: tf.data.Dataset,
    *,
    validation_data: tf.data.Dataset,
    **options: Any,
) -> None:
    """Fits a model on the workers of the strategy in scope, like `keras.Model.fit`.

    Args:
        learner: A compiled model, built in the same scope.
        batches: Training batches. An epoch takes as many steps as there are batches.
        validation_data: Validation batches.
        **options: Further arguments of `run_epochs`.
    """
    coordinator = tf.distribute.coordinator.ClusterCoordinator(tf.distribute.get_strategy())
    learner.optimizer.build(learner.trainable_variables)
    steps = len(batches)
    shuffled = batches.shuffle(SHUFFLED_BATCHES).repeat()
    training_pass = _make_pass(coordinator, learner, learner.train_step, shuffled, steps, 1)
    validation_steps = len(validation_data)
    validation_pass = _make_pass(
        # One call, since each worker has its own position in the batches.
        *(coordinator, learner, learner.test_step, validation_data.repeat(), 1, validation_steps),
    )
    run_epochs(learner, training_pass, validation_pass, steps=steps, **options)


def _make_pass(  # noqa: PLR0913, PLR0917  # What a pass consists of.
    coordinator: tf.distribute.coordinator.ClusterCoordinator,
    learner: keras.Model,
    step: Callable[[Any], Any],
    batches: tf.data.Dataset,
    calls: int,
    steps_per_call: int,
) -> Callable[[], dict[str, float]]:
    """Returns a function that runs a step on batches, on any worker, and returns the metrics."""
    strategy = coordinator.strategy
    iterator = iter(coordinator.create_per_worker_dataset(batches))

    @tf.function  # type: ignore[untyped-decorator]
    def steps_on_a_worker(own_batches: Any) -> None:
        for _ in range(steps_per_call):
            strategy.run(step, args=(next(own_batches),))

    def run() -> dict[str, float]:
        learner.reset_metrics()
        for _ in range(calls):
            coordinator.schedule(steps_on_a_worker, args=(iterator,))
        coordinator.join()
        return {name: float(value) for name, value in learner.get_metrics_result().items()}

    return run
