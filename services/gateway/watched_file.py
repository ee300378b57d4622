"""A file of the configuration that is read again when it changes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

import structlog

from services.gateway.settings import SetupError

SECONDS_BETWEEN_LOOKS = 1.0

_Content = TypeVar("_Content")

log = structlog.get_logger()


class WatchedFile(Generic[_Content]):
    """The content of a file, as of at most a second ago.

    Args:
        path: the file.
        read: reads and checks the file; raises SetupError if it cannot be used.

    Raises:
        SetupError: as `read` raises it.
    """

    def __init__(self, path: Path, read: Callable[[Path], _Content]) -> None:
        self._path = path
        self._read = read
        self._lock = threading.Lock()
        self._identity = _identity_of(path)
        self._problem = ""
        self._content = read(path)
        self._next_look = time.monotonic() + SECONDS_BETWEEN_LOOKS

    def current(self) -> _Content:
        """Returns the content; a file that has become unusable changes nothing, and is logged."""
        now = time.monotonic()
        if now >= self._next_look:
            with self._lock:
                if now >= self._next_look:
                    self._next_look = now + SECONDS_BETWEEN_LOOKS
                    self._look()
        return self._content

    def _look(self) -> None:
        identity = _identity_of(self._path)
        # A file that could not be used is tried again, since another one may have been the reason.
        if identity == self._identity and not self._problem:
            return
        self._identity = identity
        try:
            self._content = self._read(self._path)
        except SetupError as error:
            if str(error) != self._problem:
                self._problem = str(error)
                log.warning("ignored the changed file", file=str(self._path), reason=self._problem)
        else:
            self._problem = ""
            log.info("read the changed file", file=str(self._path))


def _identity_of(path: Path) -> tuple[int, int, int] | None:
    """Returns what differs after a change, for example of the link in a mounted ConfigMap."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size
