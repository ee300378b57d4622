from __future__ import annotations

import keras
import numpy as np
import pytest

from tests.training.signatures.conftest import Serve
from training.architectures.float16_storage import store_as_float16
from training.architectures.language_models import build_text_rnn, build_text_transformer
from training.exporting.session import SessionModel
from training.signatures.text import generate_text, next_character, surprisal

CHARACTERS = (" ", "\n", "a", "b", "c", "é", "€", "😀", "d", "e", "f", "g")
PROMPT_LENGTH, LENGTH = 8, 6
PROMPTS = ["", "a", "abcé€😀", "de" * 40]


@pytest.fixture(scope="module", params=[build_text_rnn, build_text_transformer])
def network(request: pytest.FixtureRequest) -> keras.Model:
    """A network whose random weights make some characters much more probable than others."""
    keras.utils.set_random_seed(0)
    sizes = {"units": 16} if request.param is build_text_rnn else {"heads": 2, "blocks": 2}
    model = request.param(vocabulary_size=16, width=16, **sizes)
    model.get_layer("vocabulary").store(CHARACTERS)
    embedding = model.get_layer("embedding")
    embedding.set_weights([20 * weights for weights in embedding.get_weights()])
    return store_as_float16(model)


@pytest.fixture(scope="module")
def served(network: keras.Model, serve: Serve) -> SessionModel:
    return serve(
        [
            generate_text(network, PROMPT_LENGTH, LENGTH),
            next_character(network, PROMPT_LENGTH),
            surprisal(network, PROMPT_LENGTH),
        ]
    )


def generate(
    model: SessionModel, prompts: list[str], seeds: list[int], temperature: float = 1.0
) -> list[str]:
    encoded = np.array([prompt.encode() for prompt in prompts], np.object_)
    temperatures = np.full(len(prompts), temperature, np.float32)
    answer = model.run("generate_text", prompt=encoded, seed=seeds, temperature=temperatures)
    return [text.decode() for text in answer["text"]]


def logits_after(network: keras.Model, text: str) -> np.ndarray:
    """The logits of the network for the whole sequence at once."""
    indices = [
        CHARACTERS.index(character) if character in CHARACTERS else 0
        for character in "\n" + text[-PROMPT_LENGTH:]
    ]
    return network(np.array([indices], np.int32)).numpy()[0, -1]


def test_without_temperature_each_character_is_the_most_probable_one(
    network: keras.Model, served: SessionModel
) -> None:
    for prompt, text in zip(PROMPTS, generate(served, PROMPTS, [0] * 4, 0.0), strict=True):
        assert len(text) == LENGTH
        # The network itself reads no more than the prompt, so prompt and text must fit.
        known = prompt[-PROMPT_LENGTH:]
        indices = [CHARACTERS.index(character) for character in "\n" + known + text]
        logits = network(np.array([indices], np.int32)).numpy()[0, :, : len(CHARACTERS)]
        expected = logits[len(known) : -1].argmax(axis=1)
        assert text == "".join(CHARACTERS[index] for index in expected)


def test_a_seed_and_a_prompt_give_their_text_whatever_else_is_in_the_batch(
    served: SessionModel,
) -> None:
    seeds = [3, -7, 2**62, 3]
    together = generate(served, PROMPTS, seeds)

    alone = [generate(served, [p], [s])[0] for p, s in zip(PROMPTS, seeds, strict=True)]
    assert alone == together


def test_seeds_sample_the_distribution_of_the_next_character(
    network: keras.Model, served: SessionModel
) -> None:
    count = 2_000
    texts = generate(served, ["ab"] * count, list(range(count)))

    logits = logits_after(network, "ab")[: len(CHARACTERS)]
    probabilities = np.exp(logits) / np.exp(logits).sum()
    found = np.array([sum(text[0] == each for text in texts) for each in CHARACTERS]) / count
    np.testing.assert_allclose(found, probabilities, atol=0.06)


def test_unknown_and_invalid_characters_are_read_as_the_first_of_the_vocabulary(
    served: SessionModel,
) -> None:
    assert generate(served, ["aXb"], [0]) == generate(served, ["a b"], [0])
    invalid = np.array([b"a\xffb"], np.object_)
    answer = served.run("generate_text", prompt=invalid, seed=[0], temperature=[1.0])
    assert answer["text"][0].decode() == generate(served, ["a b"], [0])[0]


def test_a_long_prompt_is_read_from_its_last_characters(served: SessionModel) -> None:
    assert generate(served, ["g" * 50 + "abcdabcd"], [1]) == generate(served, ["abcdabcd"], [1])


def test_the_next_characters_come_with_their_probabilities(
    network: keras.Model, served: SessionModel
) -> None:
    encoded = np.array([prompt.encode() for prompt in PROMPTS], np.object_)
    answer = served.run("serving_default", prompt=encoded)

    for row, prompt in enumerate(PROMPTS):
        expected = logits_after(network, prompt)
        np.testing.assert_allclose(answer["logits"][row], expected, rtol=1e-4, atol=1e-4)
        probabilities = np.exp(expected) / np.exp(expected).sum()
        best = np.sort(probabilities)[::-1][:10]
        np.testing.assert_allclose(answer["probability"][row], best, rtol=1e-3)
        first = answer["character"][row, 0].decode()
        assert first == (*CHARACTERS, *[""] * 4)[int(expected.argmax())]


def test_surprisal_is_the_information_of_each_character(
    network: keras.Model, served: SessionModel
) -> None:
    texts = np.array([b"abd", "xé€😀abcdef".encode(), b""], np.object_)
    bits = served.run("surprisal", text=texts)["bits"]

    logits = logits_after(network, "ab").astype(np.float64)
    expected = -np.log2(np.exp(logits[CHARACTERS.index("d")]) / np.exp(logits).sum())
    assert bits.shape == (3, PROMPT_LENGTH)
    assert bits[0, 2] == pytest.approx(expected, rel=1e-4)
    assert (bits[0, 3:] == 0).all()
    assert (bits[1] > 0).all()
    assert (bits[2] == 0).all()
