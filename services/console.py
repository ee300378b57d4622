"""The launcher's output: messages on the screen, and the logs of the services in a file."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import IO, Self

import rich.console


class Console:
    """Prints messages and, on a terminal, one line of progress below them.

    It is a context manager, which removes the progress and closes the log file.

    Attributes:
        log_path: the file to which log lines go; None sends them to the screen.
    """

    def __init__(self, log_path: Path | None = None) -> None:
        """Opens the log file, which is written anew.

        Raises:
            OSError: the file cannot be written.
        """
        self.log_path = log_path
        self._log: IO[bytes] | None = None
        if log_path:
            log_path.parent.mkdir(parents=True, exist_ok=True)
            self._log = log_path.open("wb", buffering=0)
        self._screen = rich.console.Console(
            highlight=False, markup=False, emoji=False, soft_wrap=True
        )
        self._progress = self._screen.status("")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.progress("")
        if self._log:
            self._log.close()

    def say(self, text: str) -> None:
        """Prints lines that stay."""
        self._screen.print(text.rstrip())

    def progress(self, text: str) -> None:
        """Shows a line on a terminal until the next call; an empty text removes it."""
        if text:
            self._progress.update(text)
            self._progress.start()
        else:
            self._progress.stop()

    def log(self, line: str) -> None:
        """Writes a line of a service's log to the file, or to the screen if there is none.

        On a full disk the line is lost: the service would wait for whoever reads its output.
        """
        if self._log is None:
            self.say(line)
            return
        with suppress(OSError):
            self._log.write(f"{line.rstrip()}\n".encode(errors="replace"))


def default_log_path(port: int) -> Path:
    """Returns the log file of the suite whose gateway listens on `port`."""
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "lectern" / f"{port}.log"
