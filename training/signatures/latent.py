"""The latent space task: from images to distributions of latent vectors, and back to images."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from training.signatures.signature import (
    Signature,
    example_images,
    images_spec,
    make_signature,
)


def encode_latent(encoder: keras.Model) -> Signature:
    """Returns the signature `encode_latent`.

    Inputs: `images` float32 [N, H, W, C], 0 to 255.
    Outputs: `mean` and `log_variance` float32 [N, L].

    Args:
        encoder: A model from images to these outputs.
    """

    def serve(images: tf.Tensor) -> dict[str, tf.Tensor]:
        mean, log_variance = encoder(images, training=False)
        return {"mean": mean, "log_variance": log_variance}

    specs, example = [images_spec(encoder)], {"images": example_images(encoder)}
    return make_signature("encode_latent", serve, specs, example)


def decode_latent(decoder: keras.Model) -> Signature:
    """Returns the signature `decode_latent`.

    Inputs: `latent` float32 [N, L].
    Outputs: `images` float32 [N, H, W, C], 0 to 255.

    Args:
        decoder: A model from latent vectors to images.
    """

    def serve(latent: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"images": decoder(latent, training=False)}

    spec = tf.TensorSpec(decoder.input_shape, tf.float32, name="latent")
    example = {"latent": np.zeros((1, *decoder.input_shape[1:]), np.float32)}
    return make_signature("decode_latent", serve, [spec], example)
