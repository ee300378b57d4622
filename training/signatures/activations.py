"""The activations task: the output of every layer for an image."""

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
    """Returns the signature `activations`.

    Inputs: `images` float32 [N, H, W, C], 0 to 255.
    Outputs: the output of every layer except the input, named after the layer, float32 [N, ...].

    Args:
        model: A functional or sequential model whose input is images.
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
