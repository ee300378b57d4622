"""The reconstruction task: images after encoding and decoding by an autoencoder."""

from __future__ import annotations

import keras
import tensorflow as tf

from training.signatures.signature import (
    Signature,
    example_images,
    images_spec,
    make_signature,
)


def reconstruct(model: keras.Model) -> Signature:
    """Returns the signature `serving_default`.

    Inputs: `images` float32 [N, H, W, C], 0 to 255.
    Outputs: `images`, of the same shape.

    Args:
        model: A model from images to images.
    """

    def serve(images: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"images": model(images, training=False)}

    specs, example = [images_spec(model)], {"images": example_images(model)}
    return make_signature("serving_default", serve, specs, example)
