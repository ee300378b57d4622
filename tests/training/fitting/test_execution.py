from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from training.data.fashion_mnist import load_training
from training.errors import ExecutionError, UnknownNameError
from training.fitting import execution
from training.fitting.execution import Execution, Job, train_on
from training.fitting.fit import fit
from training.zoo import find_network
from training.zoo.recipe import Recipe

# One batch holds all images, so that its order does not matter.
RECIPE = Recipe(epochs=3, batch_size=220, learning_rate=0.01, schedule="constant", ema_momentum=0.5)


def test_jax_learns_what_tensorflow_does(tiny_data: Path, tmp_path: Path) -> None:
    splits = load_training(tiny_data)
    job = Job("logistic_regression", RECIPE, splits, tmp_path / "jax")

    model = train_on(Execution("jax"), job)

    expected = fit(find_network("logistic_regression"), RECIPE, splits, tmp_path / "tensorflow")
    images = splits[1].images[..., None].astype(np.float32)
    received, wanted = (trained(images).numpy() for trained in (model, expected))
    np.testing.assert_array_equal(received.argmax(1), splits[1].labels)
    np.testing.assert_array_equal(wanted.argmax(1), splits[1].labels)


@pytest.mark.parametrize("precision", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_trains_with_16_bits_and_gives_a_model_of_32(
    precision: str, tiny_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained_with = []
    monkeypatch.setattr(
        execution, "fit", lambda *args: trained_with.append(fit(*args)) or trained_with[0]
    )
    splits = load_training(tiny_data)
    job = Job("logistic_regression", RECIPE, splits, tmp_path / "run")

    model = train_on(Execution(precision=precision), job)

    logits = trained_with[0].get_layer("logits")
    assert logits.compute_dtype == precision.removeprefix("mixed_")
    assert logits.variable_dtype == "float32"
    assert model.get_layer("logits").compute_dtype == "float32"
    images = splits[1].images[..., None].astype(np.float32)
    np.testing.assert_array_equal(model(images).numpy().argmax(1), splits[1].labels)


@pytest.mark.parametrize(
    ("setting", "known"),
    [("backend", "jax"), ("strategy", "mirrored"), ("precision", "mixed_bfloat16")],
)
def test_an_unknown_name_lists_the_known_ones(setting: str, known: str) -> None:
    with pytest.raises(UnknownNameError, match=rf"no {setting} named 'best'\. Known: .*{known}"):
        Execution(**{setting: "best"})


@pytest.mark.parametrize(
    ("backend", "strategy", "needed"),
    [("tensorflow", "model_parallel", "jax"), ("jax", "multiworker", "tensorflow")],
)
def test_a_strategy_on_a_backend_that_has_it_not_is_refused(
    backend: str, strategy: str, needed: str
) -> None:
    with pytest.raises(ExecutionError, match=f"Add --backend {needed}"):
        Execution(backend, strategy)


def test_a_backend_that_is_not_installed_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)

    with pytest.raises(ExecutionError, match="run `pip install torch`"):
        Execution("torch")


def test_a_network_with_a_train_step_of_its_own_is_refused(tmp_path: Path) -> None:
    job = Job("vae", RECIPE, ((), ()), tmp_path)

    with pytest.raises(ExecutionError, match="'vae' has a train step of its own"):
        train_on(Execution("jax"), job)


def test_a_process_that_dies_is_an_error_that_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class DeadPool:
        def __init__(self, **_: object) -> None: ...
        def __enter__(self) -> DeadPool:
            return self

        def __exit__(self, *_: object) -> None: ...
        def submit(self, *_: object) -> object:
            raise execution.BrokenProcessPool

    monkeypatch.setattr(execution, "ProcessPoolExecutor", DeadPool)

    with pytest.raises(ExecutionError, match="backend 'jax' died"):
        train_on(Execution("jax"), Job("logistic_regression", RECIPE, ((), ()), tmp_path))
