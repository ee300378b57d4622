"""The committed networks of texts do what they are for."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tests.training.exporting.test_warmup import read_warmup_requests
from training.exporting.repository import latest_version
from training.exporting.session import SessionModel
from training.report.text_models import text_networks

MODELS = Path(__file__).parents[2] / "models"
VERSE = b"And God said, Let there be light: and there was light."


@pytest.mark.parametrize("name", [network.name for network in text_networks(MODELS)])
def test_every_signature_refuses_wrong_shapes(name: str) -> None:
    version = latest_version(MODELS, name)
    with SessionModel(version) as model:
        for signature, inputs in read_warmup_requests(version).items():
            wrong = [values[None] for values in inputs.values()]
            with pytest.raises(tf.errors.InvalidArgumentError, match="not compatible"):
                model.unchecked(signature)(*wrong)


@pytest.mark.parametrize("name", ["text_rnn", "text_transformer"])
def test_continuations_are_of_words_and_a_verse_is_likelier_than_its_reverse(name: str) -> None:
    with SessionModel(latest_version(MODELS, name)) as model:
        seeds, temperatures = np.zeros(2, np.int64), np.array([0.5, 0.5], np.float32)
        prompts = np.array([b"", b"In the beginning"], np.object_)
        answer = model.run("generate_text", prompt=prompts, seed=seeds, temperature=temperatures)
        text = np.array([VERSE, VERSE[::-1]], np.object_)
        forward, backward = model.run("surprisal", text=text)["bits"].sum(axis=1)

    texts = [text.decode() for text in answer["text"]]
    assert [len(text) for text in texts] == [200, 200]
    assert Counter(" ".join(texts).split())["the"] >= 5
    assert forward / len(VERSE) < 2
    assert backward > 2 * forward
