"""Child processes that are restarted when killed, and whose output lines start with their name."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from time import monotonic
from typing import IO, cast

MAX_DEATHS = 5
SECONDS_OF_DEATHS = 60.0
"""A process that is killed this often within this many seconds is not restarted."""

_NAME_WIDTH = 12


class SupervisedProcess:
    """A child process in its own session, so that Ctrl-C in a terminal reaches only its parent.

    Args:
        name: printed before each line.
        command: the program and its arguments.
        environment: variables added to those of this process.
    """

    def __init__(
        self, name: str, command: Sequence[str], environment: Mapping[str, str] | None = None
    ) -> None:
        self._name = name
        self._command = command
        self._environment = {**os.environ, "PYTHONUNBUFFERED": "1", **(environment or {})}
        self._deaths: deque[float] = deque(maxlen=MAX_DEATHS)
        self.start()

    def start(self) -> None:
        """Starts the process, for the first time or again."""
        self._process = subprocess.Popen(
            self._command,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        lines = cast(IO[str], self._process.stdout)
        self._printer = threading.Thread(target=self._print_lines, args=[lines])
        self._printer.start()

    @property
    def ending(self) -> str | None:
        """How the process ended, for a message; None while it runs."""
        status = self._process.poll()
        if status is None:
            return None
        if status < 0:
            return f"was killed by {signal.Signals(-status).name}"
        return f"ended with exit status {status}"

    def restart_if_killed(self) -> bool:
        """Restarts the process if a signal such as SIGABRT killed it, but not too often.

        A process that exits by itself is not restarted: it has logged why, and would exit again.

        Returns:
            Whether the process runs.
        """
        ending = self.ending
        if ending is None:
            return True
        if self._process.returncode >= 0:
            self.say(ending)
            return False
        now = monotonic()
        self._deaths.append(now)
        if len(self._deaths) == MAX_DEATHS and now - self._deaths[0] < SECONDS_OF_DEATHS:
            self.say(f"{ending}, {MAX_DEATHS} times within a minute: giving up")
            return False
        self.say(f"{ending}: starting it again")
        self.start()
        return True

    def stop(self, seconds: float) -> None:
        """Sends SIGTERM and waits; kills the process if it takes longer than `seconds`."""
        self._process.terminate()
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.say(f"has not stopped within {seconds:.0f} s: killing it")
        self.kill()
        self._process.wait()
        self._printer.join()

    def kill(self) -> None:
        """Kills the process and its children."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def say(self, line: str) -> None:
        """Prints a line with the name before it."""
        sys.stdout.write(f"{self._name:{_NAME_WIDTH}} | {line.rstrip()}\n")
        sys.stdout.flush()

    def _print_lines(self, lines: IO[str]) -> None:
        with lines:
            for line in lines:
                self.say(line)
