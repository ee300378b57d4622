"""What a training runs on: a Keras backend, a precision, and how many devices or processes.

Keras chooses its backend once, when it is imported, and only TensorFlow can export. So training on
another backend happens in a process of its own, whose weights are then loaded here.
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

from training.data.fashion_mnist import Split
from training.errors import EngineError, UnknownNameError
from training.fitting.fit import fit
from training.fitting.model_parallel import split_layers
from training.fitting.strategy import is_chief, make_strategy, worker_folder
from training.zoo import find_network
from training.zoo.recipe import Recipe

# Which Keras backend each strategy needs.
STRATEGIES = {"mirrored": "tensorflow", "multiworker": "tensorflow", "model_parallel": "jax"}
BACKENDS = ("tensorflow", "jax", "torch")
PRECISIONS = ("float32", "mixed_float16", "mixed_bfloat16")
WEIGHTS_NAME = "trained.weights.h5"


@dataclass(frozen=True)
class Engine:
    """What a training runs on.

    Attributes:
        backend: The Keras backend, one of `BACKENDS`.
        strategy: `mirrored` copies the model to every GPU of this machine. `multiworker` joins
            the workers that the environment variable TF_CONFIG names. `model_parallel` splits the
            layers over all devices. None trains on one device.
        precision: A Keras dtype policy, one of `PRECISIONS`. The mixed ones compute with 16 bits
            and keep the weights in 32 (Micikevicius et al. 2017,
            https://arxiv.org/abs/1710.03740), which is faster on GPUs and slower on CPUs. What is
            exported computes with 32 bits in any case.

    Raises:
        UnknownNameError: There is no such backend, strategy or precision.
        EngineError: The backend is not installed, or is not the strategy's.
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
            raise EngineError(
                f"Received strategy {self.strategy!r} and backend {self.backend!r}; expected "
                f"backend {needed!r}. Add --backend {needed}."
            )
        if importlib.util.find_spec(self.backend) is None:
            raise EngineError(
                f"The backend {self.backend!r} is not installed; run `pip install {self.backend}`."
            )


ONE_DEVICE = Engine()


@dataclass(frozen=True)
class Job:
    """What is trained. It can be sent to another process.

    Attributes:
        network: The network's name.
        recipe: How to train it.
        splits: What it learns from, and what its quality is watched on.
        run_folder: Holds the state of the training and, in the end, the weights.
        teacher: Loads the model to imitate; None learns from labels alone.
    """

    network: str
    recipe: Recipe
    splits: tuple[Split, Split]
    run_folder: Path
    teacher: Callable[[], keras.Model] | None = None


def train_on(engine: Engine, job: Job) -> keras.Model | None:
    """Trains a network.

    Args:
        engine: What to train it on.
        job: What to train.

    Returns:
        The trained model, which is bound to no strategy; None in a process that is there to help
        the one that exports.

    Raises:
        EngineError: The engine cannot train this network, or its process died.
    """
    chosen = find_network(job.network)
    if engine != ONE_DEVICE and (chosen.objective.loss is None or chosen.frozen):
        raise EngineError(
            f"{job.network!r} has a train step of its own or a frozen part, which run with "
            f"TensorFlow on one device in float32; received {engine}. Leave out --backend, "
            f"--strategy and --precision."
        )
    if engine.backend == keras.backend.backend():
        exports = fit_and_save(engine, job)
    else:
        exports = _in_another_process(engine, job)
    if not exports:
        return None
    model = chosen.build()
    model.load_weights(job.run_folder / WEIGHTS_NAME)
    return model


def fit_and_save(engine: Engine, job: Job) -> bool:
    """Trains on the backend of this process; tells whether it is the one that saves and exports."""
    with (
        _scope(engine, job),
        _dtype_policy(engine.precision),
        worker_folder(job.run_folder) as folder,
    ):
        teacher = job.teacher() if job.teacher else None
        model = fit(find_network(job.network), job.recipe, job.splits, folder, teacher)
        model.save_weights(folder / WEIGHTS_NAME)
        return is_chief()


def _scope(engine: Engine, job: Job) -> AbstractContextManager[object]:
    scope: AbstractContextManager[object] = nullcontext()
    if engine.strategy == "model_parallel":
        scope = split_layers(find_network(job.network).build()).scope()
    elif engine.strategy:
        scope = make_strategy(engine.strategy).scope()
    return scope


def _in_another_process(engine: Engine, job: Job) -> bool:
    context = multiprocessing.get_context("spawn")
    with (
        _environment("KERAS_BACKEND", engine.backend),
        ProcessPoolExecutor(max_workers=1, mp_context=context) as pool,
    ):
        try:
            return pool.submit(fit_and_save, engine, job).result()
        except BrokenProcessPool as error:
            raise EngineError(
                f"The process that trained on {engine.backend!r} died; was it killed, or out of "
                f"memory? The same command goes on after its last epoch."
            ) from error


@contextmanager
def _dtype_policy(name: str) -> Iterator[None]:
    """Builds layers by a Keras dtype policy inside."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


@contextmanager
def _environment(name: str, value: str) -> Iterator[None]:
    """Sets an environment variable for the processes that are started inside."""
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
