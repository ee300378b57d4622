from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

# The JAX backend cannot be had in this process, whose backend is TensorFlow.
TRAIN = """
import json, sys, keras, numpy as np
from training.fitting.model_parallel import split_layers

assert keras.backend.backend() == "jax"
generator = np.random.default_rng(0)
x = generator.normal(size=(64, 8)).astype("float32")
y = np.argmax(x @ generator.normal(size=(8, 3)), axis=-1)

def build():
    keras.utils.set_random_seed(0)
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((8,)),
            layers.Dense(16, activation="relu", name="hidden"),
            layers.Dense(3, name="logits"),
        ],
        name="tiny",
    )

def train(model):
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.01), loss)
    history = model.fit(x, y, batch_size=16, epochs=4, shuffle=False, verbose=0)
    return history.history["loss"], [np.asarray(weight) for weight in model.get_weights()]

alone, expected = train(build())
distribution = split_layers(build())
with distribution.scope():
    model = build()
    losses, weights = train(model)
moment = next(v for v in model.optimizer.variables if v.path.endswith("hidden_kernel_momentum"))
parts = {
    variable.path: [list(shard.data.shape) for shard in variable.value.addressable_shards]
    for variable in [*model.variables, moment]
}
error = max(float(np.abs(a - b).max()) for a, b in zip(weights, expected))
print(json.dumps({"parts": parts, "losses": losses, "alone": alone, "error": error}))
"""


@pytest.fixture(scope="module")
def result() -> dict[str, object]:
    """What a training over two virtual devices gave, beside the same one on a single device."""
    process = subprocess.run(
        [sys.executable, "-c", TRAIN],
        env={
            **os.environ,
            "KERAS_BACKEND": "jax",
            "XLA_FLAGS": "--xla_force_host_platform_device_count=2",
        },
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
        cwd=Path(__file__).parents[3],
    )
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout.splitlines()[-1])


def test_each_device_holds_a_part_of_the_kernels_that_divide(result: dict) -> None:
    parts = result["parts"]

    assert parts["tiny/hidden/kernel"] == [[8, 8], [8, 8]]
    assert parts["tiny/hidden/bias"] == [[16], [16]]
    assert parts["tiny/logits/kernel"] == [[16, 3], [16, 3]]


def test_the_optimizers_moments_are_split_as_well(result: dict) -> None:
    (moment,) = (shape for path, shape in result["parts"].items() if path.endswith("momentum"))

    assert moment == [[8, 8], [8, 8]]


def test_it_learns_what_a_single_device_does(result: dict) -> None:
    assert result["losses"][-1] < 0.9 * result["losses"][0]
    assert result["losses"] == pytest.approx(result["alone"], rel=1e-4)
    assert result["error"] < 1e-4
