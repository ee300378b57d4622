"""A text and its characters, the data of language models: the King James Bible or a file."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from training.errors import DatasetError

DEBIAN_PACKAGE = "bible-kjv"
"""Has the program that reads the text of the package `bible-kjv-text`, which it depends on."""
VOCABULARY_SIZE = 96
WINDOW = 128
"""Characters of an example. Each is predicted from those before it in its window."""
START = "\n"
"""Stands before the first character of a text, in training and when a model reads one."""
HELD_OUT = 0.05
"""Share of the text in the validation set, and in the test set."""
MINIMUM_LENGTH = 20 * WINDOW


@dataclass(frozen=True)
class Text:
    """A text as windows of characters.

    Attributes:
        content: The text.
        characters: The vocabulary, the most frequent characters of the training set, the most
            frequent first. Other characters of the text are read as the first one.
    """

    content: str
    characters: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.content) // WINDOW

    def tensors(self) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
        """Returns the windows and the same windows one character later, int32 [N, `WINDOW`]."""
        indices = {character: index for index, character in enumerate(self.characters)}
        count = len(self) * WINDOW
        content = START + self.content[:count]
        codes = np.array([indices.get(character, 0) for character in content], np.int32)
        return codes[:-1].reshape(-1, WINDOW), codes[1:].reshape(-1, WINDOW)


def load_training_text(path: Path | None = None) -> tuple[Text, Text]:
    """Returns the training and the validation set: 90% of a text and the 5% after it.

    Args:
        path: A UTF-8 file; None reads the King James Bible.

    Raises:
        DatasetError: The text is missing, is not UTF-8 or is too short.
    """
    training, validation, _ = _split(path)
    return training, validation


def load_test_text(path: Path | None = None) -> Text:
    """Returns the test set, the last 5% of a text, which is only for final evaluations.

    Args:
        path: A UTF-8 file; None reads the King James Bible.

    Raises:
        DatasetError: The text is missing, is not UTF-8 or is too short.
    """
    return _split(path)[2]


def read_text(path: Path | None = None) -> str:
    """Returns the text of a file, or the King James Bible with one verse per line.

    Raises:
        DatasetError: The text is missing, is not UTF-8 or is too short.
    """
    if path is None:
        return _read_king_james()
    try:
        content = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"{path} cannot be read ({error}); expected a UTF-8 file.") from error
    if len(content) < MINIMUM_LENGTH:
        raise DatasetError(
            f"{path} has {len(content):,} characters; expected at least {MINIMUM_LENGTH:,}, of "
            "which the last tenth is held out. Name a longer text."
        )
    return content


def _split(path: Path | None) -> tuple[Text, Text, Text]:
    content = read_text(path)
    held_out = int(HELD_OUT * len(content))
    parts = (
        content[: -2 * held_out],
        content[-2 * held_out : -held_out],
        content[-held_out:],
    )
    frequent = Counter(parts[0]).most_common(VOCABULARY_SIZE)
    characters = tuple(character for character, _ in frequent)
    training, validation, test = (Text(part, characters) for part in parts)
    return training, validation, test


def _read_king_james() -> str:
    program = shutil.which("bible")
    if program is None:
        raise DatasetError(
            "The King James text was not found: the program `bible` is missing. Run `apt-get "
            f"install {DEBIAN_PACKAGE}`, or name another text, a UTF-8 file, with --text."
        )
    # No line break within a verse.
    command = [program, "-f", "-l9999", "gen1:1-rev22:21"]
    run = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    verses = run.stdout.decode("utf-8", errors="replace")
    if run.returncode != 0 or len(verses) < MINIMUM_LENGTH:
        raise DatasetError(
            f"`{' '.join(command)}` printed {len(verses):,} characters and ended with status "
            f"{run.returncode}; expected the King James text. Install {DEBIAN_PACKAGE} again, or "
            "name another text, a UTF-8 file, with --text."
        )
    # Each line begins with a reference such as `Ge1:1`.
    return re.sub(r"^\S+ ", "", verses, flags=re.MULTILINE)
