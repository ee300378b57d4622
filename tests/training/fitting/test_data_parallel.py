from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from training.data.fashion_mnist import Split, load_training
from training.errors import ExecutionError
from training.fitting.data_parallel import make_strategy
from training.fitting.fit import fit
from training.zoo import find_network
from training.zoo.recipe import Recipe

# One batch holds all images, so that every way of training takes the same steps.
RECIPE = Recipe(epochs=3, batch_size=220, learning_rate=0.01, schedule="constant", ema_momentum=0.5)
TRAIN = f"""
import dataclasses, sys
from pathlib import Path
import numpy as np
import tensorflow as tf
from tests.training.tiny import run_cli
from training.fitting import execution
from training import zoo
from training.zoo.recipe import Recipe

chosen = zoo.find_network("logistic_regression")
recipes = {{"quick": {RECIPE!r}}}
zoo.NETWORKS["logistic_regression"] = dataclasses.replace(chosen, recipes=recipes)
fit = execution.fit

def fit_and_save(*arguments):
    model = fit(*arguments)
    print(tf.distribute.get_strategy().num_replicas_in_sync, "replicas")
    np.savez(sys.argv[3], *model.get_weights())
    return model

execution.fit = fit_and_save
folder = sys.argv[2]
folders = ["--models", folder + "/models", "--runs", folder + "/runs"]
command = ["train", "logistic_regression", "--preset", "quick", "--strategy", sys.argv[4]]
command += ["--name", "logistic_regression"]
run_cli(Path(sys.argv[1]), [*command, *folders])
"""
TWO_DEVICES = """
import tensorflow as tf
(cpu,) = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
mirrored = tf.distribute.MirroredStrategy
tf.distribute.MirroredStrategy = lambda: mirrored(["CPU:0", "CPU:1"])
"""


def start(script: str, *arguments: object, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=Path(__file__).parents[3],
    )


def finish(processes: list[subprocess.Popen[str]]) -> list[str]:
    """Waits for all; returns what they printed."""
    with ExitStack() as stack:
        for process in processes:
            stack.callback(process.kill)
        outputs = [process.communicate(timeout=180)[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * len(processes), outputs
    return outputs


def load(path: Path) -> list[np.ndarray]:
    with np.load(path) as arrays:
        return [arrays[name] for name in arrays.files]


def assert_same(received: list[np.ndarray], expected: list[np.ndarray], atol: float) -> None:
    for one, other in zip(received, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=atol)


def free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def accuracy_of(model: keras.Model, examples: Split) -> float:
    logits = model.predict(examples.images[..., None].astype(np.float32), verbose=0)
    return float(np.mean(logits.argmax(axis=1) == examples.labels))


@pytest.fixture
def alone(tiny_data: Path, tmp_path: Path) -> list[np.ndarray]:
    """The weights of the same training on one device."""
    splits = load_training(tiny_data)
    return fit(
        find_network("logistic_regression"), RECIPE, splits, tmp_path / "alone"
    ).get_weights()


def test_two_devices_learn_what_one_does(
    alone: list[np.ndarray], tiny_data: Path, tmp_path: Path
) -> None:
    saved = tmp_path / "weights.npz"

    (output,) = finish([start(TWO_DEVICES + TRAIN, tiny_data, tmp_path, saved, "mirrored")])

    assert "2 replicas" in output
    assert_same(load(saved), alone, atol=1e-4)
    assert (tmp_path / "models" / "logistic_regression" / "1" / "saved_model.pb").exists()


def test_two_workers_learn_what_one_does_and_the_chief_exports(
    alone: list[np.ndarray], tiny_data: Path, tmp_path: Path
) -> None:
    cluster = {"worker": [f"127.0.0.1:{port}" for port in free_ports(2)]}
    saved = [tmp_path / f"worker{index}.npz" for index in range(2)]

    chief, helper = finish(
        [
            start(
                TRAIN,
                *(tiny_data, tmp_path, saved[index], "multiworker"),
                TF_CONFIG=json.dumps(
                    {"cluster": cluster, "task": {"type": "worker", "index": index}}
                ),
            )
            for index in range(2)
        ]
    )

    first, second = map(load, saved)
    assert_same(first, second, atol=0)
    assert_same(first, alone, atol=1e-4)
    assert "Exported" in chief
    assert "Exported" not in helper
    versions = list((tmp_path / "models" / "logistic_regression").iterdir())
    assert [path.name for path in versions] == ["1"]


def test_two_workers_of_a_parameter_server_learn_as_well_as_one_device(
    tiny_data: Path, tmp_path: Path
) -> None:
    """They take their steps at the same time, in no fixed order."""
    chief, *others = free_ports(4)
    addresses = [f"127.0.0.1:{port}" for port in others]
    cluster = {"chief": [f"127.0.0.1:{chief}"], "worker": addresses[:2], "ps": addresses[2:]}
    tasks = [{"type": role, "index": i} for role in cluster for i in range(len(cluster[role]))]
    recipe = replace(RECIPE, batch_size=55, epochs=4)
    script = TRAIN.replace(repr(RECIPE), repr(recipe))
    saved = tmp_path / "weights.npz"
    with ExitStack() as stack:
        coordinator, *servers = (
            stack.enter_context(
                start(
                    script,
                    *(tiny_data, tmp_path, saved, "parameter_server"),
                    TF_CONFIG=json.dumps({"cluster": cluster, "task": task}),
                )
            )
            for task in tasks
        )
        for server in servers:
            stack.callback(server.kill)
        (output,) = finish([coordinator])

    splits = load_training(tiny_data)
    network = find_network("logistic_regression")
    alone = fit(network, recipe, splits, tmp_path / "alone")
    together = network.build()
    together.set_weights(load(saved))
    expected, received = (accuracy_of(model, splits[0]) for model in (alone, together))
    assert "Exported" in output
    assert received == pytest.approx(expected, abs=0.05)
    assert received > 0.9


@pytest.mark.parametrize(
    "configuration",
    [
        "",
        "{",
        "[]",
        '{"cluster": {"worker": ["localhost:1"]}}',
        '{"cluster": {"worker": ["localhost:1"]}, "task": {"type": "worker", "index": 1}}',
        '{"cluster": {"worker": ["localhost:1"]}, "task": {"type": "ps", "index": 0}}',
    ],
)
def test_a_cluster_that_is_none_is_refused_with_an_example(
    configuration: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TF_CONFIG", configuration)

    with pytest.raises(ExecutionError, match=r"Received TF_CONFIG=.*such as \{\"cluster\""):
        make_strategy("multiworker")
