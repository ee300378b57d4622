"""The compression task: from images to codes of a fixed size, and back."""

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

BYTE = 8  # bits


def compress(encoder: keras.Model, bits: int | None = None) -> Signature:
    """Returns the signature `compress`.

    Inputs: `images` float32 [N, H, W, C], 0 to 255.
    Outputs: `code` uint8 [N, K], or float32 if the code is not quantized.

    Args:
        encoder: A model from images to codes.
        bits: Bits per number, if the codes are non-negative integers: 1, 2, 4 or 8. Several
            numbers are packed into each byte. None for real numbers.
    """

    def serve(images: tf.Tensor) -> dict[str, tf.Tensor]:
        numbers = encoder(images, training=False)
        return {"code": pack(numbers, bits) if bits else numbers}

    specs, example = [images_spec(encoder)], {"images": example_images(encoder)}
    return make_signature("compress", serve, specs, example)


def decompress(decoder: keras.Model, bits: int | None = None) -> Signature:
    """Returns the signature `decompress`.

    Inputs: `code` [N, K], as returned by `compress`.
    Outputs: `images` float32 [N, H, W, C], 0 to 255.

    Args:
        decoder: A model from codes to images.
        bits: The same value as for `compress`.
    """
    (_, size) = decoder.input_shape
    shape, dtype = ([None, size * bits // BYTE], tf.uint8) if bits else ([None, size], tf.float32)

    def serve(code: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"images": decoder(unpack(code, bits) if bits else code, training=False)}

    example = {"code": np.zeros([1, shape[1]], dtype.as_numpy_dtype)}
    return make_signature("decompress", serve, [tf.TensorSpec(shape, dtype, name="code")], example)


def pack(numbers: tf.Tensor, bits: int) -> tf.Tensor:
    """Packs several small integers into each byte, the first of them into its lowest bits.

    Args:
        numbers: Integers from 0 to 2^bits - 1, float32 [N, M].
        bits: Bits per number: 1, 2, 4 or 8.

    Returns:
        uint8 [N, M * bits / 8].
    """
    shifts = tf.range(0, BYTE, bits)
    groups = tf.reshape(numbers, [-1, numbers.shape[1] * bits // BYTE, BYTE // bits])
    shifted = tf.bitwise.left_shift(tf.cast(groups, tf.int32), shifts)
    return tf.cast(tf.reduce_sum(shifted, axis=-1), tf.uint8)


def unpack(code: tf.Tensor, bits: int) -> tf.Tensor:
    """Unpacks the numbers that `pack` packed into bytes.

    Args:
        code: uint8 [N, K].
        bits: Bits per number.

    Returns:
        float32 [N, K * 8 / bits].
    """
    shifts = tf.range(0, BYTE, bits)
    shifted = tf.bitwise.right_shift(tf.cast(code, tf.int32)[..., tf.newaxis], shifts)
    numbers = tf.bitwise.bitwise_and(shifted, 2**bits - 1)
    return tf.cast(tf.reshape(numbers, [-1, code.shape[1] * BYTE // bits]), tf.float32)
