from __future__ import annotations

import os
import signal
from pathlib import Path
from types import SimpleNamespace

import pytest

from services import __main__ as launcher
from services.console import Console


class ClosedTerminal(Console):
    """A screen that is gone after the first message."""

    said = 0

    def say(self, text: str) -> None:
        self.said += 1
        if self.said > 1:
            raise OSError(f"no terminal for {text!r}")

    def progress(self, text: str) -> None:
        self.say(text)


def test_the_services_are_stopped_even_if_the_terminal_is_gone(monkeypatch):
    stopped: list[str] = []

    class Process:
        def __init__(self, name: str, *_: object) -> None:
            self._name = name

        def stop(self, _seconds: float) -> None:
            stopped.append(self._name)

    monkeypatch.setattr(launcher, "SupervisedProcess", Process)
    monkeypatch.setattr(launcher.Loading, "follow", lambda _: None)
    monkeypatch.setattr(launcher, "watch", lambda *_: 0)

    with pytest.raises(OSError, match="no terminal"):
        launcher.run(ClosedTerminal(), launcher.PORTS, Path("models"))

    assert stopped == ["gateway", "model-server"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_end_it(number, monkeypatch):
    def receive() -> bool:
        os.kill(os.getpid(), number)
        return True

    monkeypatch.setattr(launcher, "_SECONDS_BETWEEN_CHECKS", 0)
    process = SimpleNamespace(ending=None, restart_if_killed=receive, kill=lambda: None)
    handled = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {each: signal.getsignal(each) for each in handled}
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # Tests may run under `nohup`.
    try:
        assert launcher.watch(process, process) == 0
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
