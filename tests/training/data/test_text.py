from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from training.data import text as data
from training.errors import DatasetError

CONTENT = "".join(f"Verse {index}: and it came to pass.\n" for index in range(300))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "text.txt"
    path.write_text(CONTENT + "é" * 3 + "\n", encoding="utf-8")
    return path


def test_the_splits_follow_each_other_and_share_the_vocabulary(path: Path) -> None:
    training, validation = data.load_training_text(path)
    test = data.load_test_text(path)

    assert training.content + validation.content + test.content == path.read_text("utf-8")
    assert len(validation.content) == len(test.content) == len(path.read_text("utf-8")) // 20
    assert training.characters == validation.characters == test.characters
    assert training.characters[0] == " "
    assert "é" not in training.characters


def test_each_character_is_predicted_from_those_before_it(path: Path) -> None:
    test = data.load_test_text(path)
    inputs, targets = test.tensors()

    assert inputs.shape == targets.shape == (len(test), data.WINDOW)
    np.testing.assert_array_equal(inputs.ravel()[1:], targets.ravel()[:-1])
    assert test.characters[inputs[0, 0]] == data.START
    decoded = "".join(test.characters[index] for index in targets.ravel())
    assert decoded == test.content[: len(decoded)].replace("é", " ")


def test_a_text_that_is_too_short_or_no_utf8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_text("short")
    with pytest.raises(DatasetError, match=r"has 5 characters; expected at least 2,560"):
        data.read_text(path)
    path.write_bytes(b"\xff" * 10_000)
    with pytest.raises(DatasetError, match="expected a UTF-8 file"):
        data.read_text(path)


def test_without_the_program_the_error_names_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)

    with pytest.raises(DatasetError, match="apt-get install bible-kjv`, or name another text"):
        data.read_text()


def test_verses_lose_their_references(monkeypatch: pytest.MonkeyPatch) -> None:
    printed = b"Ge1:1 In the beginning.\nGe1:2 And the earth.\n" * 100
    monkeypatch.setattr(shutil, "which", lambda _: "/usr/bin/bible")
    done = subprocess.CompletedProcess([], 0, stdout=printed)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: done)

    assert data.read_text() == "In the beginning.\nAnd the earth.\n" * 100
