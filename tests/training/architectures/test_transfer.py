from __future__ import annotations

import keras
import numpy as np

from training.architectures.transfer import FEATURES, build_transfer


def test_the_base_is_vgg16s(images: np.ndarray) -> None:
    model = build_transfer()
    vgg16 = keras.applications.VGG16(weights=None, include_top=False, input_shape=(56, 56, 3))
    for layer in vgg16.layers[: vgg16.layers.index(vgg16.get_layer("block3_pool"))]:
        if layer.weights:
            model.get_layer(layer.name).set_weights(layer.get_weights())
    large = np.asarray(keras.ops.image.resize(images, (56, 56)))
    prepared = keras.applications.vgg16.preprocess_input(np.repeat(large, 3, axis=-1))

    expected = keras.Model(vgg16.input, vgg16.get_layer("block3_pool").output)(prepared)
    found = keras.Model(model.input, model.get_layer("block3_pool").output)(images)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3)


def test_the_head_alone_is_trained() -> None:
    model = build_transfer()

    trained = {variable.path.split("/")[-2] for variable in model.trainable_variables}
    assert trained == {"normalize", "dense", "logits"}
    assert model.get_layer(FEATURES).output.shape == (None, 3, 3, 256)
