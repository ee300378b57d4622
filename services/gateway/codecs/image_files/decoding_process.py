"""Starts and supervises the process that decodes files of formats other than PNG and JPEG."""

from __future__ import annotations

import atexit
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from typing import Any

from PIL import Image

from services.gateway.codecs.image_files.bounds import OutOfTime, TooCostly
from services.gateway.codecs.image_files.messages import Messages
from services.gateway.codecs.image_files.opened_image import Target

# Excluded are formats that run another program (EPS), whose header does not state the size of the
# image (ICO, ICNS), that have no signature (TGA), or that take gigabytes for a few bytes
# (JPEG 2000).
ISOLATED_FORMATS = ("WEBP", "GIF", "BMP", "TIFF", "AVIF", "PPM", "PCX", "QOI", "SGI")
"""Formats that are decoded in the separate process."""

MAX_SECONDS = 3
"""Limit of processor time for one file, ten times as much as the largest files take."""

_PROGRAM = (
    "import sys; sys.path[:] = {path!r}; "
    "from services.gateway.codecs.image_files.decoding_server import serve; serve({descriptor})"
)
_ENVIRONMENT = {
    "MALLOC_MMAP_THRESHOLD_": "131072",  # returns large freed blocks to the system
    "OPENBLAS_NUM_THREADS": "1",
}


class UnknownFormat(Exception):  # noqa: N818 - the file is at fault, not the program
    """The file has none of the supported formats."""


class DecodingProcess:
    """Opens and decodes one file at a time, in a process that is started on first use.

    The process is killed when a deadline passes, and ends together with this process.
    """

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._server: _Server | None = None
        atexit.register(self._stop)

    @contextmanager
    def open(self, content: bytes, deadline: float, target: Target) -> Iterator[IsolatedImage]:
        """Opens a file for the duration of a `with` statement.

        Args:
            content: content of the file.
            deadline: deadline for opening and decoding, by `time.monotonic`.
            target: mode and size of the decoded image.

        Raises:
            UnknownFormat: the file has none of the supported formats.
            TooCostly: decoding takes too much memory or time.
            OutOfTime: the deadline passed.
            ValueError: the file is damaged.
        """
        if not self._turn.acquire(timeout=max(0.0, deadline - time.monotonic())):
            raise OutOfTime
        try:
            image = IsolatedImage(self, deadline, *self.ask(asdict(target), content, deadline))
            try:
                yield image
            finally:
                if image.is_awaited and self._server:
                    with suppress(OSError):  # it has ended
                        self._server.messages.send({"wanted": False})
        finally:
            self._turn.release()

    def ask(
        self, values: dict[str, Any], content: bytes, deadline: float
    ) -> tuple[dict[str, Any], bytes]:
        """Sends a message to the process and returns its answer.

        Raises:
            UnknownFormat, TooCostly, OutOfTime, ValueError: see `open`.
        """
        if self._server and not self._server.is_running():
            self._stop()
        self._server = self._server or _Server()
        try:
            self._server.messages.send(values, content)
            # A timeout of 0 would make the socket non-blocking.
            seconds = max(0.001, deadline - time.monotonic())
            answer, pixels = self._server.messages.receive(seconds)
        except TimeoutError:
            self._stop()
            raise OutOfTime from None
        except (EOFError, OSError):
            if self._stop() == -signal.SIGXCPU:
                raise TooCostly(f"decoding it takes more than {MAX_SECONDS} s") from None
            raise ValueError("its decoder crashed") from None
        match answer:
            case {"unknown": True}:
                raise UnknownFormat
            case {"too_costly": reason}:
                raise TooCostly(reason)
            case {"damaged": reason}:
                raise ValueError(reason)
        return answer, pixels

    def _stop(self) -> int | None:
        """Kills the process, if there is one, and returns its exit status."""
        server, self._server = self._server, None
        return server.stop() if server else None


class _Server:
    """One run of the process, and the socket to it."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            # In a session of its own, so that Ctrl-C does not reach it.
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-c",
                    _PROGRAM.format(path=sys.path, descriptor=theirs.fileno()),
                ],
                env={**os.environ, **_ENVIRONMENT},
                stdin=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        self.messages = Messages(ours)

    def is_running(self) -> bool:
        return self._process.poll() is None

    def stop(self) -> int:
        """Kills the process, if it still runs, and returns its exit status."""
        self.messages.close()
        self._process.kill()
        return self._process.wait()


class IsolatedImage:
    """A file that the separate process has opened; the counterpart of `OpenedImage`.

    Args:
        process: the process.
        deadline: deadline for decoding, by `time.monotonic`.
        description: description of the image from the process.
        pixels: pixels of the image if it was decoded together with opening it, else empty.
    """

    def __init__(
        self,
        process: DecodingProcess,
        deadline: float,
        description: dict[str, Any],
        pixels: bytes,
    ) -> None:
        self.format: str = description["format"]
        self.width: int = description["width"]
        self.height: int = description["height"]
        self.in_python: bool = description["in_python"]
        self.held_pixels = self.width * self.height
        self.is_awaited = "size" not in description
        """Whether the process waits to be told if the pixels are wanted."""
        self._process = process
        self._deadline = deadline
        self._decoded = description, pixels

    def decode(self, target: Target) -> Image.Image:
        """Decodes the file.

        Args:
            target: the target that the file was opened with.

        Raises:
            TooCostly, OutOfTime, ValueError: see `DecodingProcess.open`.
        """
        if self.is_awaited:
            self.is_awaited = False
            self._decoded = self._process.ask({"wanted": True}, b"", self._deadline)
        description, pixels = self._decoded
        return Image.frombytes(target.mode, tuple(description["size"]), pixels)
