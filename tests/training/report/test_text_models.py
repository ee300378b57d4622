from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from training.cli import main
from training.data.words import load_test_words
from training.exporting.export import CARD_PATH
from training.exporting.repository import latest_version
from training.exporting.session import SessionModel
from training.fitting.train import export_again
from training.report.text_models import text_section

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

WORDS = ("the", "king", "said", "unto", "son", "mother", "bread", "mountain", "of", "earth")


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("text") / "text.txt"
    chosen = np.random.default_rng(0).choice(WORDS, 1_000)
    path.write_text("\n".join(" ".join(row) + "." for row in chosen.reshape(-1, 8)))
    return path


@pytest.fixture(scope="module")
def models(text: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with two networks, trained on the text by the command line."""
    folder = tmp_path_factory.mktemp("repository")
    for name in ("word2vec", "text_transformer"):
        places = ["--models", f"{folder / 'models'}", "--runs", f"{folder / 'runs'}"]
        options = ["--preset", "quick", "--name", name, "--text", f"{text}", *places]
        with pytest.raises(SystemExit) as ended:
            main(["train", name, *options])
        assert not ended.value.code
    return folder / "models"


def test_the_section_has_a_row_for_each_network_and_for_the_baseline(
    models: Path, text: Path
) -> None:
    section = text_section(models, text)

    assert section is not None
    assert "| `word2vec` | 1 | skip-gram" in section
    assert "| `text_transformer` | 1 | a decoder-only transformer" in section
    assert "| 5-gram | – | the baseline | – | bits per character " in section
    assert "`python -m training train text_transformer --preset quick --name text_tr" in section
    assert "> **`text_transformer`**: " in section
    assert "| king | " in section


def test_a_repository_without_networks_of_texts_has_no_section(tmp_path: Path) -> None:
    assert text_section(tmp_path) is None


def test_the_card_says_how_the_model_was_measured(models: Path) -> None:
    card = (models / "text_transformer" / "1" / CARD_PATH).read_text()

    assert "This card is of version 1;" in card
    assert "| bits per character | " in card
    for signature in ("serving_default", "generate_text", "surprisal"):
        assert f"| `{signature}` | " in card


def test_the_command_line_measures_a_version(
    models: Path, text: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["evaluate", "word2vec", "--models", f"{models}", "--text", f"{text}"])

    assert f"{models}/word2vec/1: test analogies found 0" in capsys.readouterr().out


def test_a_second_export_gives_the_same_vectors(models: Path, text: Path) -> None:
    word = np.array([each.encode() for each in load_test_words(text).vocabulary], np.object_)
    with SessionModel(latest_version(models, "word2vec")) as first:
        expected = first.run("embed", word=word)["vector"]

    with SessionModel(export_again(models, "word2vec")) as second:
        np.testing.assert_array_equal(second.run("embed", word=word)["vector"], expected)
    assert np.abs(expected[1:]).max() > 0
