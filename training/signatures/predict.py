"""The predict task: class probabilities of images, sent as arrays or as PNG or JPEG files."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import keras
import numpy as np
import tensorflow as tf

from training.signatures.image_files import decode_images
from training.signatures.shared_functions import logits_of
from training.signatures.signature import (
    Signature,
    example_images,
    images_spec,
    make_signature,
)

Activation = Callable[[tf.Tensor], tf.Tensor]


def predict(
    model: keras.Model, class_names: Sequence[str], activation: Activation = tf.nn.softmax
) -> Signature:
    """Returns the signature `serving_default`.

    Inputs: `images` float32 [N, H, W, C], 0 to 255.
    Outputs: `probabilities` and `logits` float32 [N, K], `class_index` int32 [N], `label`
    string [N].

    Args:
        model: A classifier from images to K logits.
        class_names: The K labels.
        activation: Makes probabilities of logits; the sigmoid where classes do not exclude each
            other.
    """

    def serve(images: tf.Tensor) -> dict[str, tf.Tensor]:
        return _answer(logits_of(model)(images), class_names, activation)

    specs, example = [images_spec(model)], {"images": example_images(model)}
    return make_signature("serving_default", serve, specs, example)


def predict_bytes(
    model: keras.Model, class_names: Sequence[str], activation: Activation = tf.nn.softmax
) -> Signature:
    """Returns the signature `predict_bytes`, which decodes and resizes files in the graph.

    Inputs: `image_bytes` string [N], PNG or JPEG files of at most 16 million pixels. Larger or
    damaged files and other formats fail the request with INVALID_ARGUMENT.
    Outputs: those of `predict`.

    Args:
        model: A classifier from images to K logits.
        class_names: The K labels.
        activation: Makes probabilities of logits; the sigmoid where classes do not exclude each
            other.
    """
    _, height, width, channels = model.input_shape

    def serve(image_bytes: tf.Tensor) -> dict[str, tf.Tensor]:
        images = decode_images(image_bytes, height, width, channels)
        return _answer(logits_of(model)(images), class_names, activation)

    bytes_spec = tf.TensorSpec([None], tf.string, name="image_bytes")
    png = tf.io.encode_png(np.zeros((height, width, channels), np.uint8)).numpy()
    example = {"image_bytes": np.array([png], object)}
    return make_signature("predict_bytes", serve, [bytes_spec], example)


def _answer(
    logits: tf.Tensor, class_names: Sequence[str], activation: Activation
) -> dict[str, tf.Tensor]:
    class_index = tf.argmax(logits, axis=-1, output_type=tf.int32)
    return {
        "probabilities": activation(logits),
        "logits": logits,
        "class_index": class_index,
        "label": tf.gather(tf.constant(class_names), class_index),
    }
