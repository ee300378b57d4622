"""Networks that are trained on a text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from training.architectures.language_models import build_text_rnn, build_text_transformer
from training.architectures.word2vec import NEGATIVES, build_word2vec
from training.data.analogies import ANALOGIES
from training.data.dataset import TEXT, WORDS
from training.data.text import WINDOW, Text
from training.data.words import Words
from training.zoo.network import Network
from training.zoo.objective import Objective, Signatures
from training.zoo.recipe import Recipe
from training.zoo.tasks import text_tasks, word_tasks

_BATCH = 256


def bits_per_character(signatures: Signatures, examples: Text) -> float:
    """Returns the mean of -log2 of the probability of each character, given those before it.

    Each character but the first has at least half a window before it.
    """
    half = WINDOW // 2
    content = examples.content
    starts = range(0, len(content) - WINDOW + 1, half)
    windows = [content[start : start + WINDOW].encode() for start in starts]
    bits = np.concatenate(
        [
            signatures["surprisal"](text=tf.constant(windows[index : index + _BATCH]))["bits"]
            for index in range(0, len(windows), _BATCH)
        ]
    )
    return float((bits[0, :half].sum() + bits[:, half:].sum()) / (half * (1 + len(windows))))


def analogies_found(signatures: Signatures, examples: Words) -> float:
    """Returns the share of analogies a : b = c : d with d among the ten words of the answer."""
    known = [each for each in ANALOGIES if set(each) <= set(examples.vocabulary)]
    answers = answer_analogies(signatures, examples.vocabulary, known)
    found = sum(wanted in answer for (*_, wanted), answer in zip(known, answers, strict=True))
    return found / max(1, len(known))


def answer_analogies(
    signatures: Signatures, vocabulary: Sequence[str], analogies: Sequence[Sequence[str]]
) -> list[list[str]]:
    """Returns the ten words nearest to b - a + c, without these, for each analogy.

    Args:
        signatures: The signatures of word vectors.
        vocabulary: The words among which the answers are.
        analogies: Words a, b and c of the vocabulary, and more that are not used.
    """
    indices = {word: index for index, word in enumerate(vocabulary)}
    vectors = signatures["embed"](word=tf.constant(vocabulary))["vector"].numpy()
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    answers = []
    for words in analogies:
        a, b, c = (indices[word] for word in words[:3])
        cosines = vectors @ (vectors[b] - vectors[a] + vectors[c])
        cosines[[a, b, c]] = -np.inf
        answers.append([vocabulary[index] for index in np.argsort(-cosines)[:10]])
    return answers


def _store_characters(model: keras.Model, training: Text) -> None:
    model.get_layer("vocabulary").store(training.characters)


def _store_words(model: keras.Model, training: Words) -> None:
    model.get_layer("vocabulary").store(training.vocabulary)


def _beside_negatives(words: tf.Tensor, neighbours: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Adds the neighbours of other words in the batch, which are shuffled, as negatives."""
    negatives = [tf.roll(neighbours, shift, axis=0) for shift in range(1, NEGATIVES + 1)]
    inputs = tf.stack([words, neighbours, *negatives], axis=1)
    return inputs, tf.one_hot(tf.zeros_like(words), 1 + NEGATIVES)


NEXT_CHARACTER = Objective(
    prepare=lambda inputs, targets: (inputs, targets),
    loss=lambda _: keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    quality="bits per character",
    measure=bits_per_character,
    higher_is_better=False,
    adapt=_store_characters,
)
SKIP_GRAM = Objective(
    prepare=_beside_negatives,
    loss=lambda _: keras.losses.BinaryCrossentropy(from_logits=True),
    quality="analogies found",
    measure=analogies_found,
    adapt=_store_words,
)
# A constant learning rate and a moving average, so that more epochs only continue a training.
_RECIPE: dict[str, Any] = {"schedule": "constant", "ema_momentum": 0.995, "weight_decay": 1e-4}
_RNN = Recipe(epochs=3, batch_size=32, learning_rate=4e-3, **_RECIPE)
_TRANSFORMER = Recipe(epochs=5, batch_size=16, learning_rate=2e-3, **_RECIPE)
_WORD2VEC = Recipe(
    epochs=10, optimizer="adam", batch_size=4_096, learning_rate=2e-3, weight_decay=0.0
)

NETWORKS = [
    Network(
        name="word2vec",
        task="word vectors",
        summary="skip-gram with negative sampling, 3,072 words, 64 dimensions",
        build=build_word2vec,
        objective=SKIP_GRAM,
        recipes={"quick": replace(_WORD2VEC, epochs=1, ema_momentum=0.99), "full": _WORD2VEC},
        signatures=word_tasks,
        dataset=WORDS,
        float16_storage=True,
    ),
    Network(
        name="text_rnn",
        task="text generation",
        summary="a long short-term memory of 256 units over characters",
        build=build_text_rnn,
        objective=NEXT_CHARACTER,
        recipes={"quick": replace(_RNN, epochs=1), "full": _RNN},
        signatures=text_tasks,
        dataset=TEXT,
        float16_storage=True,
    ),
    Network(
        name="text_transformer",
        task="text generation",
        summary="a decoder-only transformer of 3 blocks of width 128 over characters",
        build=build_text_transformer,
        objective=NEXT_CHARACTER,
        recipes={"quick": replace(_TRANSFORMER, epochs=1), "full": _TRANSFORMER},
        signatures=text_tasks,
        dataset=TEXT,
        float16_storage=True,
    ),
]
