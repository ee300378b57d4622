"""A causal convolution over a sequence that can also read one element at a time."""

from __future__ import annotations

import keras
import tensorflow as tf

State = list[tf.Tensor]


@keras.saving.register_keras_serializable(package="lectern")
class CausalConvolution(keras.layers.Conv1D):  # type: ignore[misc]  # Keras ships no types.
    """Keras's one-dimensional convolution; an output depends on its input and those before it."""

    def initial_state(self, count: tf.Tensor, length: tf.Tensor) -> State:
        """Returns the state before the first element.

        Args:
            count: Number of sequences.
            length: Length of the sequences, which this layer does not need.
        """
        return [tf.zeros([count, self.kernel_size[0] - 1, self.kernel.shape[1]])]

    def step(self, inputs: tf.Tensor, state: State, position: tf.Tensor) -> tuple[tf.Tensor, State]:
        """Reads one element of each sequence.

        Args:
            inputs: The elements, [N, D].
            state: The elements before them.
            position: Their index, which this layer does not need.

        Returns:
            The outputs, [N, filters], and the state after them.
        """
        window = tf.concat([state[0], inputs[:, None]], axis=1)
        return self(window)[:, -1], [window[:, 1:]]
