"""A layer that stores a vocabulary, so that an exported model contains it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf


@keras.saving.register_keras_serializable(package="lectern")
class Vocabulary(keras.layers.Layer):  # type: ignore[misc]  # Keras ships no types.
    """Passes indices through, and stores the entry of each index as UTF-8 bytes.

    Args:
        size: Number of entries.
        width: Bytes per entry.
        **options: Options of `keras.layers.Layer`.
    """

    def __init__(self, size: int, width: int, **options: Any) -> None:
        super().__init__(**options)
        self.size = size
        self.width = width

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Creates the table of bytes, in which shorter entries end with zeros."""
        self.table = self.add_weight(
            name="utf8",
            shape=(self.size, self.width),
            dtype="uint8",
            initializer="zeros",
            trainable=False,
        )

    def call(self, indices: keras.KerasTensor) -> keras.KerasTensor:
        """Returns the indices."""
        return indices

    def store(self, entries: Sequence[str]) -> None:
        """Stores the entries, at most `size`, the one for unknown entries first.

        Raises:
            ValueError: There are too many entries, or one of them is too long.
        """
        encoded = [entry.encode() for entry in entries]
        longest = max(map(len, encoded), default=0)
        if len(encoded) > self.size or longest > self.width:
            raise ValueError(
                f"Received {len(encoded)} entries of up to {longest} bytes; expected at most "
                f"{self.size} entries of at most {self.width} bytes."
            )
        table = np.zeros((self.size, self.width), np.uint8)
        for row, entry in zip(table, encoded, strict=False):
            row[: len(entry)] = list(entry)
        self.table.assign(table)

    def entries(self) -> tf.Tensor:
        """Returns the entries, string [size]; unused ones are empty."""
        texts = tf.constant([b"", *(bytes([value]) for value in range(1, 256))])
        return tf.strings.reduce_join(tf.gather(texts, tf.cast(self.table.value, tf.int32)), axis=1)

    def lookup(self, texts: tf.Tensor) -> tf.Tensor:
        """Returns the index of each text, int32; 0 for texts that are not in the vocabulary."""
        # An unused entry must not match an empty text.
        found = (texts[..., None] == self.entries()) & (texts[..., None] != b"")
        return tf.argmax(tf.cast(found, tf.int32), axis=-1, output_type=tf.int32)

    def get_config(self) -> dict[str, Any]:
        """Returns the configuration of the layer."""
        return {**super().get_config(), "size": self.size, "width": self.width}
