"""A long short-term memory that can also read one element at a time."""

from __future__ import annotations

import keras
import tensorflow as tf

State = list[tf.Tensor]


@keras.saving.register_keras_serializable(package="lectern")
class SteppedLSTM(keras.layers.LSTM):  # type: ignore[misc]  # Keras ships no types.
    """Keras's LSTM, whose cell can be run by a caller's own loop."""

    def initial_state(self, count: tf.Tensor, length: tf.Tensor) -> State:
        """Returns the state before the first element.

        Args:
            count: Number of sequences.
            length: Length of the sequences, which this layer does not need.
        """
        zeros = tf.zeros([count, self.units])
        return [zeros, zeros]

    def step(self, inputs: tf.Tensor, state: State, position: tf.Tensor) -> tuple[tf.Tensor, State]:
        """Reads one element of each sequence.

        Args:
            inputs: The elements, [N, D].
            state: The state before them.
            position: Their index, which this layer does not need.

        Returns:
            The outputs, [N, units], and the state after them.
        """
        outputs, new_state = self.cell(inputs, state)
        return outputs, list(new_state)
