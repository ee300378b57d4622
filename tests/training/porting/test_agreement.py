from __future__ import annotations

import numpy as np

from training.porting.agreement import Agreement, measure_agreement


def test_equal_logits_agree() -> None:
    logits = np.random.default_rng(0).normal(size=(3, 10)).astype(np.float32)

    assert measure_agreement(logits, logits) == Agreement(3, top1=1, top5=1, difference=0)


def test_shares_and_differences_are_counted() -> None:
    expected = np.array([[9, 8, 7, 6, 5, 0, 0], [9, 8, 7, 6, 5, 0, 0]], np.float32)
    # The first swaps the top two; the second has one other class among its five.
    logits = np.array([[8, 9, 7, 6, 5, 0, 0], [9, 8, 7, 6, 0, 5, 0]], np.float32)

    assert measure_agreement(logits, expected) == Agreement(2, top1=0.5, top5=0.9, difference=5)
