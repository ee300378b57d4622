from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from tests.training.signatures.call import call
from training.signatures.saliency import saliency_gradcam


def test_of_pooling_and_a_dense_layer_it_is_cam(images: np.ndarray) -> None:
    """Zhou et al. 2015, https://arxiv.org/abs/1512.04150, by the share of a place in the mean."""
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(6, 3, strides=4, activation="relu", name="features"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(4, name="logits"),
        ]
    )

    outputs = call(saliency_gradcam(model), images=images[:4], class_index=[0, 1, 2, 3])

    features = model.get_layer("features")(images[:4]).numpy()  # [4, 7, 7, 6]
    weights = model.get_layer("logits").kernel.numpy()
    cam = np.maximum(np.einsum("nhwf,fn->nhw", features, weights), 0) / 49
    expected = tf.image.resize(cam[..., None], [28, 28])[..., 0]
    np.testing.assert_allclose(outputs["attribution"], expected, rtol=1e-3, atol=1e-4)
    assert np.ptp(outputs["attribution"]) > 1


def test_any_layer_with_a_map_can_be_asked(trained_cnn: keras.Model, samples: np.ndarray) -> None:
    """The finer the layer, the steeper the map, measured in its highest value."""
    steepness = []
    for layer_name in ("conv1", "conv3"):
        outputs = call(
            saliency_gradcam(trained_cnn, layer_name), images=samples, class_index=[-1] * 10
        )
        slopes = np.abs(np.diff(outputs["attribution"])).mean(axis=(1, 2))
        steepness.append(slopes.sum() / outputs["attribution"].max(axis=(1, 2)).sum())

    assert steepness[0] > steepness[1] > 0


def test_a_network_without_convolution_is_refused() -> None:
    model = keras.Sequential(
        [keras.Input((4, 4, 1)), layers.Flatten(), layers.Dense(2)], name="flat"
    )

    with pytest.raises(ValueError, match="'flat' has no convolution"):
        saliency_gradcam(model)
