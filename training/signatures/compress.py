"""The compression task: images to codes of a fixed size, and back."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from training.signatures.signature import Signature, example_images, images_spec


def compress(encoder: keras.Model, code_dtype: tf.DType = tf.float32) -> Signature:
    """Makes `compress`.

    Inputs: `images` float32 [N, H, W, C], 0 to 255.
    Outputs: `code` [N, K] of the code's dtype.

    Args:
        encoder: From images to K numbers.
        code_dtype: `tf.uint8` where those are whole numbers from 0 to 255.
    """

    def serve(images: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"code": tf.cast(encoder(images, training=False), code_dtype)}

    function = tf.function(serve, input_signature=[images_spec(encoder)])
    return Signature("compress", function, {"images": example_images(encoder)})


def decompress(decoder: keras.Model, code_dtype: tf.DType = tf.float32) -> Signature:
    """Makes `decompress`.

    Inputs: `code` [N, K], as `compress` gives it.
    Outputs: `images` float32 [N, H, W, C], 0 to 255.

    Args:
        decoder: From K numbers to images.
        code_dtype: The one that was given to `compress`.
    """

    def serve(code: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"images": decoder(tf.cast(code, tf.float32), training=False)}

    spec = tf.TensorSpec(decoder.input_shape, code_dtype, name="code")
    function = tf.function(serve, input_signature=[spec])
    example = np.zeros((1, *decoder.input_shape[1:]), code_dtype.as_numpy_dtype)
    return Signature("decompress", function, {"code": example})
