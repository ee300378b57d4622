from __future__ import annotations

import numpy as np

from services.serving_api.arrays import content_bytes


def test_numbers_and_strings_are_counted():
    strings = np.array([[b"four", b""], [b"fi", b"ve"]], object)
    assert content_bytes({"a": np.zeros((3, 2), np.float32)}) == 24
    assert content_bytes({"a": np.zeros(3, np.uint8), "s": strings}) == 3 + 4 * 8 + 8
    assert content_bytes({}) == 0
