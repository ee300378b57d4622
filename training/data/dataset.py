"""The data sets that networks are trained on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.data import fashion_mnist, text, words
from training.data.examples import Examples


@dataclass(frozen=True)
class Dataset:
    """A data set.

    Attributes:
        name: Its name.
        load_training: Returns the training and the validation set from a path; None searches the
            usual places.
        load_test: Returns the test set, likewise.
    """

    name: str
    load_training: Callable[[Path | None], tuple[Examples, Examples]]
    load_test: Callable[[Path | None], Any]


FASHION_MNIST = Dataset("Fashion-MNIST", fashion_mnist.load_training, fashion_mnist.load_test)
TEXT = Dataset("text", text.load_training_text, text.load_test_text)
WORDS = Dataset("words", words.load_training_words, words.load_test_words)
