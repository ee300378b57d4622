"""The activations task: the output of every layer for an image."""

from __future__ import annotations

import keras
import tensorflow as tf

from training.signatures.shared_functions import layers_of
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
    layers = layers_of(model)

    def serve(images: tf.Tensor) -> dict[str, tf.Tensor]:
        answer: dict[str, tf.Tensor] = layers(images)
        return answer

    specs, example = [images_spec(model)], {"images": example_images(model)}
    return make_signature("activations", serve, specs, example)
