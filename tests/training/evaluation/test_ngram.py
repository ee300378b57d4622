from __future__ import annotations

import math

import pytest

from training.data.text import Text
from training.evaluation.ngram import NGram

TRAINING = Text("abracadabra", tuple("abrcd\n"))


def test_all_characters_together_have_probability_1() -> None:
    model = NGram(TRAINING, order=3)

    for context in ("", "a", "ab", "zz", "cad"):
        total = sum(model.probability(context, each) for each in TRAINING.characters)
        assert total == pytest.approx(1)


def test_counts_are_mixed_with_those_of_the_shorter_context() -> None:
    model = NGram(TRAINING, order=2)
    # The text has 12 characters of 6 kinds with the start, of which 2 are b.
    single = (2 + 6 * (1 / 6)) / (12 + 6)
    # Four characters of 3 kinds follow an a: b twice, c and d.
    expected = (2 + 3 * single) / (4 + 3)

    assert model.probability("a", "b") == pytest.approx(expected)


def test_bits_are_the_mean_information_of_the_characters() -> None:
    model = NGram(TRAINING, order=2)
    expected = (
        -(math.log2(model.probability("\n", "a")) + math.log2(model.probability("a", "b"))) / 2
    )

    assert model.bits_per_character(Text("ab", TRAINING.characters)) == pytest.approx(expected)
