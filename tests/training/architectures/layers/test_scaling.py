from __future__ import annotations

import numpy as np

from training.architectures.layers.scaling import double, halve


def test_one_undoes_the_size_of_the_other() -> None:
    images = np.ones((2, 8, 12, 3), np.float32)

    halved = halve(5, "down")(images)
    doubled = double(4, "up")(halved)

    assert halved.shape == (2, 4, 6, 5)
    assert doubled.shape == (2, 8, 12, 4)
