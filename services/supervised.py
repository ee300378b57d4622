"""Child processes that are restarted when killed, and whose log lines start with their name."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from time import monotonic
from typing import IO, cast

from services.console import Console

MAX_DEATHS = 5
SECONDS_OF_DEATHS = 60.0
"""A process that is killed this often within this many seconds is not restarted."""

_NAME_WIDTH = 12
_LINES_OF_A_DEAD_PROCESS = 20
_SECONDS_TO_READ_LAST_LINES = 1.0

_MEANINGLESS = re.compile(
    r"WARNING: All log messages before absl::InitializeLog\(\)|[IW]\d{4} 00:00:\d+\."
    r"|E\d{4} .* meta_optimizer\.cc|.* E tensorflow/core/util/util\.cc.* oneDNN"
)
"""Lines of TensorFlow's C++ code that need no action, and that no setting turns off.

They are notes about the hardware, and optimizations that were tried and left out.
"""


class SupervisedProcess:
    """A child process in its own session, so that Ctrl-C in a terminal reaches only its parent.

    Args:
        name: printed before each line.
        command: the program and its arguments.
        console: gets the lines of its log, and messages about it.
        environment: variables added to those of this process.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        console: Console,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._name = name
        self._command = command
        self._console = console
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
        self._last_lines: deque[str] = deque(maxlen=_LINES_OF_A_DEAD_PROCESS)
        self._reader = threading.Thread(target=self._read, args=[lines])
        self._reader.start()

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
            self.report(ending)
            return False
        now = monotonic()
        self._deaths.append(now)
        if len(self._deaths) == MAX_DEATHS and now - self._deaths[0] < SECONDS_OF_DEATHS:
            self.report(f"{ending}, {MAX_DEATHS} times within a minute: giving up")
            return False
        self.report(f"{ending}: starting it again")
        self.start()
        return True

    def stop(self, seconds: float) -> None:
        """Sends SIGTERM and waits; kills the process if it takes longer than `seconds`."""
        self._process.terminate()
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._say(f"has not stopped within {seconds:.0f} s: killing it")
        self.kill()
        self._process.wait()
        self._reader.join()

    def kill(self) -> None:
        """Kills the process and its children."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def report(self, ending: str) -> None:
        """Prints how the process ended, after the end of its log if that is in a file."""
        self._reader.join(_SECONDS_TO_READ_LAST_LINES)
        if self._console.log_path:
            for line in list(self._last_lines):
                self._console.say(line)
        self._say(ending)

    def _say(self, text: str) -> None:
        self._console.say(self._named(text))

    def _named(self, line: str) -> str:
        return f"{self._name:{_NAME_WIDTH}} | {line.rstrip()}"

    def _read(self, lines: IO[str]) -> None:
        with lines:
            for line in lines:
                if not _MEANINGLESS.match(line):
                    self._last_lines.append(self._named(line))
                    self._console.log(self._named(line))
