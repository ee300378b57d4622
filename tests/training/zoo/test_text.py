from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from training.architectures.word2vec import NEGATIVES
from training.data.analogies import ANALOGIES
from training.data.text import WINDOW, Text
from training.data.words import Words
from training.zoo import find_network
from training.zoo.text import SKIP_GRAM, analogies_found, answer_analogies, bits_per_character


def test_bits_per_character_count_each_character_once() -> None:
    half = WINDOW // 2
    content = "a" * half + "b" * half + "c" * half

    def surprisal(text: tf.Tensor) -> dict[str, tf.Tensor]:
        bits = {"a": 1.0, "b": 2.0, "c": 6.0}
        rows = [[bits[character] for character in each.decode()] for each in text.numpy()]
        return {"bits": tf.constant(rows)}

    measured = bits_per_character({"surprisal": surprisal}, Text(content, ("a", "b", "c")))
    assert measured == pytest.approx(3)


def test_an_analogy_is_answered_by_vector_arithmetic() -> None:
    words = sorted({word for each in ANALOGIES[:2] for word in each})
    random = np.random.default_rng(0)
    directions = random.normal(size=(len(words), 8))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    vectors = dict(zip(words, directions, strict=True))
    for first, second, third, answer in ANALOGIES[:2]:
        vectors[answer] = vectors[second] - vectors[first] + vectors[third]
    table = {word.encode(): vector for word, vector in vectors.items()}

    def embed(word: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"vector": tf.constant([table[each] for each in word.numpy()], tf.float32)}

    answers = answer_analogies({"embed": embed}, words, ANALOGIES[:2])
    assert [answer[0] for answer in answers] == [d for *_, d in ANALOGIES[:2]]
    examples = Words(np.zeros(0, np.int32), tuple(words))
    assert analogies_found({"embed": embed}, examples) == 1


def test_negatives_are_the_neighbours_of_other_words() -> None:
    words, neighbours = tf.range(20), tf.range(100, 120)
    inputs, targets = SKIP_GRAM.prepare(words, neighbours)

    assert inputs.shape == (20, 2 + NEGATIVES)
    np.testing.assert_array_equal(inputs[:, 1], neighbours)
    assert all(len(set(row)) == len(row) for row in inputs.numpy()[:, 1:])
    np.testing.assert_array_equal(targets, np.eye(1 + NEGATIVES)[np.zeros(20, int)])


def test_training_stores_the_vocabulary() -> None:
    network = find_network("text_rnn")
    model: keras.Model = network.build()
    network.objective.adapt(model, Text("", (" ", "é")))

    entries = model.get_layer("vocabulary").entries().numpy()
    assert [entry.decode() for entry in entries[:3]] == [" ", "é", ""]
