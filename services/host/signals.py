"""Waits for signals in a process of many threads."""

from __future__ import annotations

import signal
import socket


class AwaitedSignals:
    """Signals that `wait` waits for, instead of what they would do; for the main thread only.

    Waiting for a lock or an event would miss some. Linux lets any thread take a signal; when
    another one does, for example while it creates a thread, the main thread goes on waiting, and
    Python's handler never runs. The wakeup file descriptor is written to by the thread that took
    the signal.
    """

    def __init__(self, *numbers: signal.Signals) -> None:
        self._receiver, self._sender = socket.socketpair()
        self._sender.setblocking(False)
        signal.set_wakeup_fd(self._sender.fileno(), warn_on_full_buffer=False)
        for number in numbers:
            signal.signal(number, lambda *_: None)

    def wait(self) -> None:
        """Waits for one of the signals; returns at once if one has come since the creation."""
        self._receiver.recv(1)
