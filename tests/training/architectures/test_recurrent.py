from __future__ import annotations

import numpy as np
import pytest

from training.architectures.recurrent import CELLS, build_recurrent


def test_the_simple_cell_reads_row_after_row(images: np.ndarray) -> None:
    model = build_recurrent("rnn", units=3)
    kernel, recurrent, bias = model.get_layer("rnn").get_weights()
    output, output_bias = model.get_layer("logits").get_weights()

    state = np.zeros((5, 3))
    for row in range(28):
        state = np.tanh(images[:, row, :, 0] / 255 @ kernel + state @ recurrent + bias)
    np.testing.assert_allclose(model(images), state @ output + output_bias, atol=1e-4)


@pytest.mark.parametrize("cell", CELLS)
def test_the_order_of_the_rows_matters(cell: str, images: np.ndarray) -> None:
    model = build_recurrent(cell, units=4)

    assert not np.allclose(model(images), model(images[:, ::-1]), atol=1e-4)
