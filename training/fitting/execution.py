"""How a training is executed: Keras backend, precision and distribution strategy.

Keras fixes its backend when it is imported, and export needs TensorFlow. Training on another
backend therefore runs in a process of its own, whose weights are loaded here.
"""

from __future__ import annotations

import importlib.util
import multiprocessing
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import keras

from training.data.examples import Examples
from training.errors import ExecutionError, UnknownNameError
from training.fitting.data_parallel import is_chief, make_strategy, task_type, worker_folder
from training.fitting.fit import fit
from training.fitting.model_parallel import split_layers
from training.fitting.parameter_server import serve_cluster
from training.zoo import find_network
from training.zoo.recipe import Recipe

# The Keras backend that each strategy needs.
STRATEGIES = {
    "mirrored": "tensorflow",
    "multiworker": "tensorflow",
    "parameter_server": "tensorflow",
    "model_parallel": "jax",
}
BACKENDS = ("tensorflow", "jax", "torch")
PRECISIONS = ("float32", "mixed_float16", "mixed_bfloat16")
WEIGHTS_NAME = "trained.weights.h5"


@dataclass(frozen=True)
class Execution:
    """How a training is executed.

    Attributes:
        backend: The Keras backend, one of `BACKENDS`.
        strategy: `mirrored` copies the model to every GPU of this machine. `multiworker` joins
            the workers in the environment variable TF_CONFIG. `parameter_server` sends steps to
            the workers in TF_CONFIG, which read the weights from its servers. `model_parallel`
            splits the layers over all devices. None trains on one device.
        precision: A Keras dtype policy, one of `PRECISIONS`. Mixed precision computes with 16 bits
            and keeps weights in 32 bits (Micikevicius et al. 2017,
            https://arxiv.org/abs/1710.03740): faster on GPUs, and on CPUs with 16-bit arithmetic.
            Exported models always compute with 32 bits.

    Raises:
        UnknownNameError: The backend, strategy or precision is unknown.
        ExecutionError: The backend is not installed, or does not support the strategy.
    """

    backend: str = "tensorflow"
    strategy: str | None = None
    precision: str = PRECISIONS[0]

    def __post_init__(self) -> None:
        if self.precision not in PRECISIONS:
            raise UnknownNameError("precision", self.precision, list(PRECISIONS))
        if self.backend not in BACKENDS:
            raise UnknownNameError("backend", self.backend, list(BACKENDS))
        if self.strategy is not None and self.strategy not in STRATEGIES:
            raise UnknownNameError("strategy", self.strategy, list(STRATEGIES))
        needed = STRATEGIES.get(self.strategy or "", self.backend)
        if self.backend != needed:
            raise ExecutionError(
                f"Received strategy {self.strategy!r} and backend {self.backend!r}; expected "
                f"backend {needed!r}. Add --backend {needed}."
            )
        if importlib.util.find_spec(self.backend) is None:
            raise ExecutionError(
                f"The backend {self.backend!r} is not installed; run `pip install {self.backend}`."
            )


ONE_DEVICE = Execution()


@dataclass(frozen=True)
class Job:
    """A training job, which can be sent to another process.

    Attributes:
        network: Name of the network.
        recipe: The training recipe.
        splits: Training and validation set.
        run_folder: Stores the state of the training and, at the end, the weights.
        teacher: Loads the model to distil from; None trains on labels alone.
        start: A version with initial weights of some layers; None starts from random ones.
    """

    network: str
    recipe: Recipe
    splits: tuple[Examples, Examples]
    run_folder: Path
    teacher: Callable[[], keras.Model] | None = None
    start: Path | None = None


def train_on(execution: Execution, job: Job) -> keras.Model | None:
    """Trains a network.

    Args:
        execution: Backend, strategy and precision.
        job: The training job.

    Returns:
        The trained model, outside of any strategy; None in a worker process that does not export.

    Raises:
        ExecutionError: The network cannot be trained this way, or the training process died.
    """
    chosen = find_network(job.network)
    if execution != ONE_DEVICE and (chosen.objective.loss is None or chosen.frozen_until):
        raise ExecutionError(
            f"{job.network!r} has a train step of its own or frozen layers, and trains only with "
            f"TensorFlow on one device in float32; received {execution}. Leave out --backend, "
            f"--strategy and --precision."
        )
    if execution.backend == keras.backend.backend():
        exports = fit_and_save(execution, job)
    else:
        exports = _in_another_process(execution, job)
    if not exports:
        return None
    model = chosen.build()
    model.load_weights(job.run_folder / WEIGHTS_NAME)
    return model


def fit_and_save(execution: Execution, job: Job) -> bool:
    """Trains with the backend of this process; returns whether this process exports.

    A worker or server of the strategy `parameter_server` serves until it is stopped.
    """
    if execution.strategy == "parameter_server" and task_type(execution.strategy) != "chief":
        serve_cluster()
    with (
        _scope(execution, job),
        _dtype_policy(execution.precision),
        worker_folder(job.run_folder) as folder,
    ):
        teacher = job.teacher() if job.teacher else None
        model = fit(find_network(job.network), job.recipe, job.splits, folder, teacher, job.start)
        model.save_weights(folder / WEIGHTS_NAME)
        return is_chief()


def _scope(execution: Execution, job: Job) -> AbstractContextManager[object]:
    scope: AbstractContextManager[object] = nullcontext()
    if execution.strategy == "model_parallel":
        scope = split_layers(find_network(job.network).build()).scope()
    elif execution.strategy:
        scope = make_strategy(execution.strategy).scope()
    return scope


def _in_another_process(execution: Execution, job: Job) -> bool:
    context = multiprocessing.get_context("spawn")
    with (
        _environment("KERAS_BACKEND", execution.backend),
        ProcessPoolExecutor(max_workers=1, mp_context=context) as pool,
    ):
        try:
            return pool.submit(fit_and_save, execution, job).result()
        except BrokenProcessPool as error:
            raise ExecutionError(
                f"The training process with backend {execution.backend!r} died. If it ran out of "
                f"memory, free some; the same command resumes after its last epoch."
            ) from error


@contextmanager
def _dtype_policy(name: str) -> Iterator[None]:
    """Sets Keras's dtype policy inside a `with` block."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


@contextmanager
def _environment(name: str, value: str) -> Iterator[None]:
    """Sets an environment variable inside a `with` block, for processes started there."""
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
