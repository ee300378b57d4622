"""The words of a text and their neighbours, the data of word vectors."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from training.data.text import load_test_text, load_training_text
from training.errors import DatasetError

VOCABULARY_SIZE = 3_072
LONGEST_WORD = 16
"""Bytes of the longest word in the vocabulary."""
REACH = 5
"""Largest distance between a word and a neighbour that it predicts."""
FREQUENT = 1e-3
"""Words with a larger share of the text are thinned out (Mikolov et al. 2013)."""
UNKNOWN = ""

Indices = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Words:
    """The words of a text in lower case, as pairs of a word and one of its neighbours.

    Attributes:
        indices: The words of the text that are in the vocabulary, int32 [M].
        vocabulary: `UNKNOWN` and the most frequent words of the training set, the most frequent
            first.
    """

    indices: Indices
    vocabulary: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.tensors()[0])

    def tensors(self) -> tuple[Indices, Indices]:
        """Returns words and neighbours, int32 [N] each; near neighbours are more frequent."""
        random = np.random.default_rng(seed=0)
        shares = np.bincount(self.indices, minlength=len(self.vocabulary)) / len(self.indices)
        kept = np.minimum(1, np.sqrt(FREQUENT / np.maximum(shares, 1e-12)))
        thinned = self.indices[random.random(len(self.indices)) < kept[self.indices]]
        words, neighbours = [], []
        for distance in range(1, REACH + 1):
            chosen = random.random(max(0, len(thinned) - distance)) <= 1 - (distance - 1) / REACH
            before, after = thinned[:-distance][chosen], thinned[distance:][chosen]
            words += [before, after]
            neighbours += [after, before]
        return np.concatenate(words), np.concatenate(neighbours)


def load_training_words(path: Path | None = None) -> tuple[Words, Words]:
    """Returns the training and the validation set: 90% of a text and the 5% after it.

    Args:
        path: A UTF-8 file; None reads the King James Bible.

    Raises:
        DatasetError: The text is missing, is not UTF-8, is too short or has no words.
    """
    training, validation = load_training_text(path)
    vocabulary = _vocabulary(training.content)
    return _words(training.content, vocabulary), _words(validation.content, vocabulary)


def load_test_words(path: Path | None = None) -> Words:
    """Returns the test set, the last 5% of a text, with the vocabulary of the training set.

    Args:
        path: A UTF-8 file; None reads the King James Bible.

    Raises:
        DatasetError: The text is missing, is not UTF-8, is too short or has no words.
    """
    vocabulary = _vocabulary(load_training_text(path)[0].content)
    return _words(load_test_text(path).content, vocabulary)


def split_words(content: str) -> list[str]:
    """Returns the words of a text in lower case."""
    return re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)*", content.lower())


def _vocabulary(content: str) -> tuple[str, ...]:
    counts = Counter(split_words(content)).most_common()
    short = [word for word, _ in counts if len(word.encode()) <= LONGEST_WORD]
    return (UNKNOWN, *short[: VOCABULARY_SIZE - 1])


def _words(content: str, vocabulary: tuple[str, ...]) -> Words:
    indices = {word: index for index, word in enumerate(vocabulary)}
    found = [indices[word] for word in split_words(content) if word in indices]
    if len(found) <= REACH:
        raise DatasetError(
            f"A part of the text has {len(found)} words of the vocabulary; expected more than "
            f"{REACH}. Name a text of words in --text."
        )
    return Words(np.array(found, np.int32), vocabulary)
