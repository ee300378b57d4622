"""Functions of a network that the signatures of an export share.

Each is in the export once. Otherwise every signature would contain the whole network, and a large
network's graph would take more memory than its weights.
"""

from __future__ import annotations

from functools import lru_cache

import keras
import tensorflow as tf

from training.signatures.signature import images_spec

# Enough for the export of one network and its average over flips; the cache keeps them alive.
_NETWORKS = 2


@lru_cache(_NETWORKS)
def logits_of(model: keras.Model) -> tf.types.experimental.GenericFunction:
    """Returns a function from images to the logits of a classifier, float32 [N, K]."""

    def logits(images: tf.Tensor) -> tf.Tensor:
        return model(images, training=False)

    return tf.function(logits, input_signature=[images_spec(model)])


@lru_cache(_NETWORKS)
def layers_of(model: keras.Model) -> tf.types.experimental.GenericFunction:
    """Returns a function from images to the output of every layer except the input, by name."""
    outputs = {
        layer.name: layer.output
        for layer in model.layers
        if not isinstance(layer, keras.layers.InputLayer)
    }
    every_layer = keras.Model(model.inputs[0], outputs)

    def layers(images: tf.Tensor) -> dict[str, tf.Tensor]:
        answer: dict[str, tf.Tensor] = every_layer(images, training=False)
        return answer

    return tf.function(layers, input_signature=[images_spec(model)])


@lru_cache(_NETWORKS)
def score_gradient_of(model: keras.Model) -> tf.types.experimental.GenericFunction:
    """Returns a function from images and class indices to a gradient, float32 [N, H, W, C].

    It is the gradient of the logit of each image's class with respect to the image. Class indices
    are int32 [N], 0 to K-1.
    """

    def gradient(images: tf.Tensor, class_index: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(images)
            score = tf.gather(model(images, training=False), class_index, batch_dims=1)
        return tape.gradient(score, images)

    index_spec = tf.TensorSpec([None], tf.int32, name="class_index")
    return tf.function(gradient, input_signature=[images_spec(model), index_spec])
