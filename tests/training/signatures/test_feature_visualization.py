from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from tests.training.signatures.call import call
from training.exporting.repository import latest_version
from training.exporting.session import SessionModel
from training.signatures.feature_visualization import (
    COLOUR_COVARIANCE_ROOT,
    _correlate_colours,
    feature_visualization,
)

MODELS = Path(__file__).parents[3] / "models"


def request(count: int, seed: int = 0) -> dict[str, np.ndarray]:
    return {"channel": np.arange(count, dtype=np.int32), "seed": np.full(count, seed, np.int32)}


@pytest.mark.parametrize(
    ("layer_name", "share"), [("conv1", 0.95), ("conv2", 0.75), ("conv3", 0.9), ("logits", 1.0)]
)
def test_the_activation_rises_threefold(
    layer_name: str, share: float, trained_cnn: keras.Model
) -> None:
    """For all channels but the few that the start excites already, or that nothing excites."""
    channels = request(trained_cnn.get_layer(layer_name).output.shape[-1])

    start, end = (
        call(feature_visualization(trained_cnn, layer_name, steps), **channels)["activation"]
        for steps in (0, 64)
    )

    raised = (end > 0) & (end >= 3 * start)
    assert raised.mean() >= share
    assert np.all(end >= start)


def test_the_activation_is_that_of_the_image(trained_cnn: keras.Model) -> None:
    outputs = call(feature_visualization(trained_cnn, "conv2", steps=8), **request(3))

    features = keras.Model(trained_cnn.inputs[0], trained_cnn.get_layer("conv2").output)
    means = features(outputs["images"]).numpy().mean(axis=(1, 2))
    np.testing.assert_allclose(outputs["activation"], means[range(3), range(3)], rtol=1e-3)


def test_images_are_grey_levels(served_cnn: SessionModel) -> None:
    images = served_cnn.run("feature_visualization_conv3", **request(4))["images"]

    assert images.shape == (4, 28, 28, 1)
    assert images.min() >= 0
    assert images.max() <= 255
    assert images.std(axis=(1, 2, 3)).min() > 20


def test_grey_images_are_those_of_the_committed_export(trained_cnn: keras.Model) -> None:
    """It was written before colour images had a colour space of their own."""
    inputs = request(2, seed=3)
    signature = feature_visualization(trained_cnn, "conv2")

    images = call(signature, **inputs)["images"]

    with SessionModel(latest_version(MODELS, "cnn")) as committed:
        expected = committed.run("feature_visualization_conv2", **inputs)["images"]
    np.testing.assert_array_equal(images, expected)


def test_colours_are_correlated_as_in_photographs() -> None:
    """Equal changes of all three colours are the largest part of a photograph's variance."""
    unit = layers.Dense(1, kernel_initializer="ones", name="unit")
    model = keras.Sequential([keras.Input((32, 32, 3)), layers.Flatten(), unit])

    images = call(feature_visualization(model, "unit", steps=0), **request(1))["images"][0]

    colours = np.log(images / (255 - images)).reshape(-1, 3)  # Before the sigmoid.
    red, green, _ = np.corrcoef(colours.T)
    assert green[0] > 0.85
    assert green[2] > 0.85
    assert 0.5 < red[2] < min(green[0], green[2])


def test_the_colour_space_is_that_of_the_covariance() -> None:
    """The columns of the root are scaled alike, so that the largest has length 1."""
    axes = _correlate_colours(tf.eye(3)[None, None]).numpy()[0, 0]

    lengths = np.linalg.norm(axes, axis=1)
    assert lengths[0] == pytest.approx(1)
    root = np.array(COLOUR_COVARIANCE_ROOT)
    covariance = axes.T @ axes
    np.testing.assert_allclose(
        covariance / covariance[1, 1], root @ root.T / (root @ root.T)[1, 1], rtol=1e-5
    )


def test_the_seed_decides(served_cnn: SessionModel) -> None:
    first, again, other = (
        served_cnn.run("feature_visualization_conv2", **request(2, seed))["images"]
        for seed in (1, 1, 2)
    )

    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).mean() > 1


def test_a_picture_is_the_same_alone_and_among_others(trained_cnn: keras.Model) -> None:
    signature = feature_visualization(trained_cnn, "conv3", steps=8)
    together = call(signature, channel=[3, 8, 3], seed=[0, 1, 2])

    alone = call(signature, channel=[8], seed=[1])

    np.testing.assert_allclose(together["images"][1:2], alone["images"], atol=0.5)
    np.testing.assert_allclose(together["activation"][1:2], alone["activation"], rtol=0.01)


@pytest.mark.parametrize("channel", [-1, 64])
def test_a_channel_that_does_not_exist_is_an_invalid_argument(
    channel: int, served_cnn: SessionModel
) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match="channel must be 0 to 63"):
        served_cnn.run("feature_visualization_conv2", channel=[channel], seed=[0])


@pytest.mark.parametrize("separate", [False, True], ids=["fused", "separate"])
def test_a_rectifier_that_is_off_can_be_switched_on(separate: bool) -> None:
    """The start, near grey, gives the only unit about -10 before its ReLU; black gives 245."""
    rectifier = [layers.ReLU(name="unit")] if separate else []
    dense = layers.Dense(
        1,
        activation=None if separate else "relu",
        kernel_initializer=keras.initializers.Constant(-2 / 16),
        bias_initializer=keras.initializers.Constant(245),
        name="dense" if separate else "unit",
    )
    model = keras.Sequential([keras.Input((4, 4, 1)), layers.Flatten(), dense, *rectifier])

    start, end = (
        call(feature_visualization(model, "unit", steps), channel=[0], seed=[0])["activation"]
        for steps in (0, 64)
    )

    assert start == [0]
    assert end > [100]


def test_of_a_sum_of_all_pixels_it_is_mostly_white() -> None:
    unit = layers.Dense(1, kernel_initializer="ones", name="unit")
    model = keras.Sequential([keras.Input((4, 4, 1)), layers.Flatten(), unit])

    outputs = call(feature_visualization(model, "unit"), channel=[0], seed=[0])

    assert np.mean(outputs["images"] > 250) >= 0.75
    np.testing.assert_allclose(outputs["activation"], outputs["images"].sum(), rtol=1e-5)
