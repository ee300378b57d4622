from __future__ import annotations

import keras
import numpy as np
import pytest

from tests.training.signatures.conftest import Serve
from training.architectures.float16_storage import store_as_float16
from training.architectures.word2vec import NEGATIVES, build_word2vec
from training.exporting.session import SessionModel
from training.signatures.words import embed, nearest_words, neighbouring_words

WORDS = ("", *(f"word{index}" for index in range(1, 14)), "lord's")


@pytest.fixture(scope="module")
def network() -> keras.Model:
    keras.utils.set_random_seed(0)
    model = build_word2vec(vocabulary_size=16, width=4)
    model.get_layer("vocabulary").store(WORDS)
    return store_as_float16(model)


@pytest.fixture(scope="module")
def served(network: keras.Model, serve: Serve) -> SessionModel:
    return serve([embed(network, "embed"), nearest_words(network), neighbouring_words(network)])


def vectors(network: keras.Model, layer: str) -> np.ndarray:
    [table] = network.get_layer(layer).get_weights()
    return np.asarray(table, np.float32)


def ask(model: SessionModel, signature: str, *words: str) -> dict[str, np.ndarray]:
    return model.run(signature, word=np.array([word.encode() for word in words], np.object_))


def test_a_word_has_its_vector_and_an_unknown_one_zeros(
    network: keras.Model, served: SessionModel
) -> None:
    answer = ask(served, "embed", "lord's", "nowhere", "")["vector"]

    np.testing.assert_array_equal(answer[0], vectors(network, "embedding")[14])
    assert (answer[1:] == 0).all()


def test_the_nearest_words_have_the_largest_cosines(
    network: keras.Model, served: SessionModel
) -> None:
    answer = ask(served, "nearest_words", "word3", "nowhere")

    table = vectors(network, "embedding")[: len(WORDS)]
    directions = table / np.linalg.norm(table, axis=1, keepdims=True)
    cosines = directions @ directions[3]
    best = [index for index in np.argsort(-cosines) if index not in {0, 3}][:10]
    assert [word.decode() for word in answer["words"][0]] == [WORDS[index] for index in best]
    np.testing.assert_allclose(answer["similarity"][0], cosines[best], rtol=1e-4, atol=1e-6)
    assert set(answer["words"][1]) == {b""}
    assert (answer["similarity"][1] == 0).all()


def test_the_neighbouring_words_have_the_largest_logits(
    network: keras.Model, served: SessionModel
) -> None:
    answer = ask(served, "neighbouring_words", "word3")

    logits = vectors(network, "neighbours") @ vectors(network, "embedding")[3]
    best = [index for index in np.argsort(-logits) if 0 < index < len(WORDS)][:10]
    assert [word.decode() for word in answer["words"][0]] == [WORDS[index] for index in best]


def test_the_network_returns_the_logits_of_the_neighbour_and_of_the_negatives(
    network: keras.Model,
) -> None:
    indices = np.arange(2 + NEGATIVES, dtype=np.int32)[None]

    expected = vectors(network, "neighbours")[1 : 2 + NEGATIVES] @ vectors(network, "embedding")[0]
    np.testing.assert_allclose(network(indices).numpy()[0], expected, rtol=1e-4, atol=1e-7)
