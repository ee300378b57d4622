"""The activations task: what every layer makes of an image."""

from __future__ import annotations

import keras
import tensorflow as tf

from training.signatures.signature import (
    Signature,
    example_images,
    images_spec,
    make_signature,
)


def activations(model: keras.Model) -> Signature:
    """Makes `activations`.

    Inputs: `images` float32 [N, H, W, C], 0 to 255.
    Outputs: the output of every layer but the input, named after the layer, float32 [N, ...].

    Args:
        model: A functional or sequential model of images.
    """
    outputs = {
        layer.name: layer.output
        for layer in model.layers
        if not isinstance(layer, keras.layers.InputLayer)
    }
    every_layer = keras.Model(model.inputs[0], outputs)

    def serve(images: tf.Tensor) -> dict[str, tf.Tensor]:
        answer: dict[str, tf.Tensor] = every_layer(images, training=False)
        return answer

    specs, example = [images_spec(model)], {"images": example_images(model)}
    return make_signature("activations", serve, specs, example)
