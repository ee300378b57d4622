"""The predict task: class probabilities of images, given as arrays or as PNG and JPEG files."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from training.signatures.signature import Signature, example_images, images_spec


def predict(model: keras.Model, class_names: Sequence[str]) -> Signature:
    """Makes `serving_default`.

    Inputs: `images` float32 [N, H, W, C], 0 to 255.
    Outputs: `probabilities` and `logits` float32 [N, K], `class_index` int32 [N], `label`
    string [N].

    Args:
        model: A classifier from images to K logits.
        class_names: The K labels.
    """

    def serve(images: tf.Tensor) -> dict[str, tf.Tensor]:
        return _answer(model(images, training=False), class_names)

    function = tf.function(serve, input_signature=[images_spec(model)])
    return Signature("serving_default", function, {"images": example_images(model)})


def predict_bytes(model: keras.Model, class_names: Sequence[str]) -> Signature:
    """Makes `predict_bytes`, which decodes and resizes in the graph.

    Inputs: `image_bytes` string [N], PNG or JPEG files of any size.
    Outputs: those of `predict`. A file that cannot be decoded fails the request with
    INVALID_ARGUMENT.

    Args:
        model: A classifier from images to K logits.
        class_names: The K labels.
    """
    _, height, width, channels = model.input_shape

    def decode(content: tf.Tensor) -> tf.Tensor:
        image = tf.io.decode_image(content, channels=channels, expand_animations=False)
        image.set_shape([None, None, channels])
        return tf.image.resize(image, [height, width], antialias=True)

    def serve(image_bytes: tf.Tensor) -> dict[str, tf.Tensor]:
        spec = tf.TensorSpec([height, width, channels], tf.float32)
        images = tf.map_fn(decode, image_bytes, fn_output_signature=spec)
        return _answer(model(images, training=False), class_names)

    bytes_spec = tf.TensorSpec([None], tf.string, name="image_bytes")
    function = tf.function(serve, input_signature=[bytes_spec])
    png = tf.io.encode_png(np.zeros((height, width, channels), np.uint8)).numpy()
    return Signature("predict_bytes", function, {"image_bytes": np.array([png], object)})


def _answer(logits: tf.Tensor, class_names: Sequence[str]) -> dict[str, tf.Tensor]:
    class_index = tf.argmax(logits, axis=-1, output_type=tf.int32)
    return {
        "probabilities": tf.nn.softmax(logits),
        "logits": logits,
        "class_index": class_index,
        "label": tf.gather(tf.constant(class_names), class_index),
    }
