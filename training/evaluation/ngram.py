"""An n-gram model of characters, the baseline of the language models."""

from __future__ import annotations

import math
from collections import Counter

from training.data.text import START, Text

ORDER = 5


class NGram:
    """Predicts a character from those before it, by interpolation with Witten-Bell smoothing.

    The counts after a context are mixed with the prediction of the context that is one character
    shorter, whose weight is the number of different characters after the context (Chen and Goodman
    1998, "An Empirical Study of Smoothing Techniques for Language Modeling"). Below the single
    character, all characters of the vocabulary are equally probable.

    Args:
        training: The text whose n-grams are counted.
        order: Length of the longest n-gram.
    """

    def __init__(self, training: Text, order: int = ORDER) -> None:
        self._order = order
        self._vocabulary_size = len(training.characters)
        content = START + training.content
        self._counts: list[Counter[str]] = []
        self._totals: list[Counter[str]] = []
        self._kinds: list[Counter[str]] = []
        for length in range(1, order + 1):
            counts = Counter(
                content[start : start + length] for start in range(len(content) - length + 1)
            )
            totals: Counter[str] = Counter()
            for ngram, count in counts.items():
                totals[ngram[:-1]] += count
            self._counts.append(counts)
            self._totals.append(totals)
            self._kinds.append(Counter(ngram[:-1] for ngram in counts))

    def probability(self, context: str, character: str) -> float:
        """Returns the probability of a character after a context of any length."""
        probability = 1 / self._vocabulary_size
        for length in range(min(self._order - 1, len(context)) + 1):
            before = context[len(context) - length :]
            total, kinds = self._totals[length][before], self._kinds[length][before]
            if not total:
                break
            count = self._counts[length][before + character]
            probability = (count + kinds * probability) / (total + kinds)
        return probability

    def bits_per_character(self, examples: Text) -> float:
        """Returns the mean of -log2 of the probability of each character, given those before it."""
        content, before = START + examples.content, self._order - 1
        bits = 0.0
        for index in range(1, len(content)):
            context = content[max(0, index - before) : index]
            bits -= math.log2(self.probability(context, content[index]))
        return bits / len(examples.content)
