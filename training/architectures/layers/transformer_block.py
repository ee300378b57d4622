"""A block of a decoder-only transformer, for whole sequences or one element at a time."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

State = list[tf.Tensor]

# Far below any score, and finite in 16 bits.
_MASKED = -1e4


@keras.saving.register_keras_serializable(package="lectern")
class TransformerBlock(layers.Layer):  # type: ignore[misc]  # Keras ships no types.
    """Causal self-attention and a dense network, each normalized before and added to its input.

    The positions enter as in ALiBi (Press et al. 2021, https://arxiv.org/abs/2108.12409): each head
    lowers the score of an element by its distance, so that sequences may be longer than in
    training.

    Args:
        heads: Number of attention heads.
        **options: Options of `keras.layers.Layer`.
    """

    def __init__(self, heads: int, **options: Any) -> None:
        super().__init__(**options)
        self.heads = heads
        # The slopes of ALiBi, [H].
        self.slopes = 2.0 ** (-8 * np.arange(1, heads + 1) / heads)

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Creates the layers of the block."""
        width = input_shape[-1]
        vectors = (None, width)
        options: dict[str, Any] = {"dtype": self.dtype_policy}
        self.attention_norm = layers.LayerNormalization(name="attention_norm", **options)
        self.projections = layers.Dense(
            3 * width, use_bias=False, name="query_key_value", **options
        )
        self.mix = layers.Dense(width, use_bias=False, name="mix", **options)
        self.dense_norm = layers.LayerNormalization(name="dense_norm", **options)
        self.expand = layers.Dense(4 * width, activation="relu", name="expand", **options)
        self.shrink = layers.Dense(width, name="shrink", **options)
        for layer in (self.attention_norm, self.projections, self.mix, self.dense_norm):
            layer.build(vectors)
        self.expand.build(vectors)
        self.shrink.build((None, 4 * width))

    def call(self, inputs: keras.KerasTensor) -> keras.KerasTensor:
        """Returns the outputs for whole sequences, both [N, T, D]."""
        length = ops.shape(inputs)[1]
        query, key, value = ops.split(self._project(inputs), 3, axis=2)  # Each [N, T, 1, H, D/H].
        query, key, value = (
            ops.transpose(part[:, :, 0], (0, 2, 1, 3)) for part in (query, key, value)
        )
        distance = ops.arange(length)[:, None] - ops.arange(length)  # [T, T]
        products = ops.matmul(query, ops.transpose(key, (0, 1, 3, 2)))  # [N, H, T, T]
        scores = ops.cast(products, "float32") + self._bias(distance)
        # Keras's softmax warns of sequences of one element.
        weights = ops.exp(scores - ops.logsumexp(scores, axis=-1, keepdims=True))
        mixed = ops.matmul(ops.cast(weights, value.dtype), value)  # [N, H, T, D/H]
        return self._finish(inputs, ops.transpose(mixed, (0, 2, 1, 3)))

    def initial_state(self, count: tf.Tensor, length: tf.Tensor) -> State:
        """Returns empty caches of keys and of values, [T, N, H, D/H] each.

        Args:
            count: Number of sequences.
            length: Length of the sequences.
        """
        width = self.mix.kernel.shape[0]
        cache = tf.zeros([length, count, self.heads, width // self.heads])
        return [cache, cache]

    def step(self, inputs: tf.Tensor, state: State, position: tf.Tensor) -> tuple[tf.Tensor, State]:
        """Reads one element of each sequence.

        Args:
            inputs: The elements, [N, D].
            state: The caches, filled up to the elements.
            position: The index of the elements.

        Returns:
            The outputs, [N, D], and the caches with the elements.
        """
        query, key, value = tf.unstack(self._project(inputs), axis=1)  # Each [N, H, D/H].
        keys, values = (
            tf.tensor_scatter_nd_update(cache, [[position]], row[None])
            for cache, row in zip(state, (key, value), strict=True)
        )
        scores = tf.einsum("nhd,tnhd->nht", query, keys)
        bias = self._bias((position - tf.range(tf.shape(keys)[0]))[None])  # [H, 1, T]
        weights = tf.nn.softmax(scores + bias[:, 0])
        mixed = tf.einsum("nht,tnhd->nhd", weights, values)
        return self._finish(inputs, mixed), [keys, values]

    def get_config(self) -> dict[str, Any]:
        """Returns the configuration of the layer."""
        return {**super().get_config(), "heads": self.heads}

    def _project(self, inputs: keras.KerasTensor) -> keras.KerasTensor:
        """Returns query, key and value of each element, [..., 3, H, D/H]."""
        joined = self.projections(self.attention_norm(inputs))
        size = inputs.shape[-1] // self.heads
        heads = ops.reshape(joined, (*ops.shape(joined)[:-1], 3, self.heads, size))
        return heads

    def _bias(self, distance: keras.KerasTensor) -> keras.KerasTensor:
        """Returns what is added to the scores for distances [Q, T] to earlier elements."""
        slopes = ops.convert_to_tensor(self.slopes[:, None, None], "float32")
        penalty = -slopes * ops.cast(distance, "float32")
        return ops.where(distance >= 0, penalty, _MASKED)  # [H, Q, T]

    def _finish(self, inputs: keras.KerasTensor, mixed: keras.KerasTensor) -> keras.KerasTensor:
        """Returns the outputs of the block from its inputs and the mixed values of the heads."""
        attended = inputs + self.mix(ops.reshape(mixed, ops.shape(inputs)))
        return attended + self.shrink(self.expand(self.dense_norm(attended)))
