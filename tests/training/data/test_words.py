from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from training.data.analogies import ANALOGIES
from training.data.words import (
    REACH,
    UNKNOWN,
    VOCABULARY_SIZE,
    Words,
    load_test_words,
    load_training_words,
    split_words,
)
from training.errors import DatasetError


def test_words_are_in_lower_case_and_keep_their_apostrophe() -> None:
    assert split_words("The LORD's, day; 2nd Épée.") == ["the", "lord's", "day", "nd", "épée"]


def test_the_vocabulary_is_the_most_frequent_words_after_the_unknown_one(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_text("the king and the queen\n" * 500)
    training, validation = load_training_words(path)

    assert training.vocabulary[:2] == (UNKNOWN, "the")
    assert set(training.vocabulary) == {UNKNOWN, "the", "king", "and", "queen"}
    assert load_test_words(path).vocabulary == validation.vocabulary == training.vocabulary


def test_a_text_without_words_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "numbers.txt"
    path.write_text("1 2 3 4\n" * 500)
    with pytest.raises(DatasetError, match="has 0 words of the vocabulary; expected more than"):
        load_training_words(path)


def test_pairs_are_of_words_at_most_a_reach_apart_and_go_both_ways() -> None:
    indices = np.arange(1, 2_000, dtype=np.int32)
    words, neighbours = Words(indices, tuple(map(str, range(VOCABULARY_SIZE)))).tensors()

    distances = words - neighbours
    assert np.abs(distances).max() == REACH
    assert (distances != 0).all()
    counts = [np.count_nonzero(distances == distance) for distance in range(-REACH, REACH + 1)]
    assert counts == counts[::-1]
    assert counts[REACH + 1] == len(indices) - 1
    assert counts[REACH + 1] > counts[REACH + 3] > counts[2 * REACH] > 0


def test_analogies_are_of_four_different_words() -> None:
    assert all(len(set(each)) >= 3 for each in ANALOGIES)
    assert len(set(ANALOGIES)) == len(ANALOGIES)
