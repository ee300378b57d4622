"""A recurrent network that reads an image as a sequence of rows, from the top."""

from __future__ import annotations

import keras
from keras import layers

CELLS = {"rnn": layers.SimpleRNN, "lstm": layers.LSTM, "gru": layers.GRU}


def build_recurrent(
    cell: str,
    units: int,
    image_shape: tuple[int, int, int] = (28, 28, 1),
    class_count: int = 10,
) -> keras.Model:
    """Builds the network, untrained.

    Args:
        cell: `rnn` (Elman's simple cell), `lstm` (Hochreiter and Schmidhuber 1997) or `gru`
            (Cho et al. 2014, https://arxiv.org/abs/1406.1078).
        units: Size of the cell's state.
        image_shape: Height, width and channels of an image.
        class_count: Number of logits.

    Returns:
        A model from float32 [N, height, width, channels] images, 0 to 255, to float32
        [N, class_count] logits.
    """
    height, width, channels = image_shape
    return keras.Sequential(
        [
            keras.Input(image_shape, name="images"),
            layers.Rescaling(1 / 255, name="rescale"),
            layers.Reshape((height, width * channels), name="rows"),
            # Not unrolled, which would make loading and warming up four times as slow.
            CELLS[cell](units, name=cell),
            layers.Dense(class_count, name="logits"),
        ],
        name=cell,
    )
