"""Where the payload log is written: files in a folder, or objects in a store of fsspec."""

from __future__ import annotations

import os
import socket
import threading
from abc import ABC, abstractmethod
from contextlib import suppress
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path
from typing import Any

import structlog

from services.gateway.settings import Settings, SetupError
from services.gateway.telemetry.metrics import PAYLOAD_LOG_RECORDS

SECONDS_TO_UPLOAD = 60.0
"""Time after which an object is written although it is small."""

_PREFIX = "payloads-"

log = structlog.get_logger()


class PayloadFiles(ABC):
    """Takes lines, of which one thread at a time writes some; counts what becomes of each."""

    def __init__(self, max_file_bytes: int) -> None:
        self._max_file_bytes = max_file_bytes
        self._number = 0
        self._is_failing = False

    @abstractmethod
    def write(self, line: bytes) -> None:
        """Writes a line, or drops it."""

    @abstractmethod
    def close(self) -> None:
        """Writes what is left."""

    def _next_name(self) -> str:
        self._number += 1
        now = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
        return f"{_PREFIX}{now}-{socket.gethostname()}-{os.getpid()}-{self._number:06}.jsonl"

    def _count_written(self, lines: int) -> None:
        PAYLOAD_LOG_RECORDS.labels("written").inc(lines)
        self._is_failing = False

    def _count_failed(self, lines: int, error: Exception) -> None:
        PAYLOAD_LOG_RECORDS.labels("write_failed").inc(lines)
        if not self._is_failing:
            self._is_failing = True
            log.warning(
                "cannot write the payload log, drops records until it can", reason=str(error)
            )


class Folder(PayloadFiles):
    """Files of lines in a folder, each line written at once; the oldest files are removed.

    Args:
        folder: the folder, which processes may share.
        max_file_bytes: size of the largest file.
        max_bytes: size of all files of payload logs in the folder.

    Raises:
        OSError: the folder cannot be made.
    """

    def __init__(self, folder: Path, max_file_bytes: int, max_bytes: int) -> None:
        super().__init__(max_file_bytes)
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._max_bytes = max_bytes
        self._file: FileIO | None = None
        self._size = 0

    def write(self, line: bytes) -> None:
        """Appends a line to the current file, whole or not at all."""
        try:
            self._append(self._file_for(len(line)), line)
        except OSError as error:
            self._count_failed(1, error)
        else:
            self._count_written(1)

    def close(self) -> None:
        """Closes the current file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _file_for(self, size: int) -> FileIO:
        """Returns the file for a line of this size: the current one, or a new one."""
        file = self._file
        has_space = self._size + size <= self._max_file_bytes
        if file is not None and has_space and os.fstat(file.fileno()).st_nlink:
            return file
        self.close()
        self._remove_oldest()
        self._size = 0
        self._file = FileIO(self._folder / self._next_name(), "a")
        return self._file

    def _append(self, file: FileIO, line: bytes) -> None:
        rest = memoryview(line)
        try:
            while rest:
                rest = rest[file.write(rest) or 0 :]
        except OSError:
            # A part of a line would spoil the next one.
            file.truncate(self._size)
            raise
        self._size += len(line)

    def _remove_oldest(self) -> None:
        """Makes room for a new file."""
        found = []
        for path in self._folder.glob(f"{_PREFIX}*.jsonl"):
            with suppress(FileNotFoundError):  # Another process has removed it.
                status = path.stat()
                found.append((status.st_mtime_ns, status.st_size, path))
        total = sum(size for _, size, _ in found) + self._max_file_bytes
        for _, size, path in sorted(found):
            if total <= self._max_bytes:
                return
            path.unlink(missing_ok=True)
            total -= size


class Store(PayloadFiles):
    """Objects of lines in a store, written when they are large or a minute old.

    Args:
        url: a URL of fsspec, such as `s3://bucket/folder`.
        max_file_bytes: size from which an object is written.

    Raises:
        ImportError: fsspec, or its package for this store, is not installed.
        ValueError: fsspec does not know such stores.
    """

    def __init__(self, url: str, max_file_bytes: int) -> None:
        from fsspec.core import url_to_fs  # noqa: PLC0415 - an optional package

        super().__init__(max_file_bytes)
        self._store: Any
        self._store, self._root = url_to_fs(url)
        self._lock = threading.Lock()
        self._lines: list[bytes] = []
        self._size = 0
        self._timer: threading.Timer | None = None

    def write(self, line: bytes) -> None:
        """Keeps a line for the next object, and writes that if it is large enough."""
        with self._lock:
            if not self._lines:
                self._timer = threading.Timer(SECONDS_TO_UPLOAD, self.close)
                self._timer.daemon = True
                self._timer.start()
            self._lines.append(line)
            self._size += len(line)
            if self._size >= self._max_file_bytes:
                self._upload()

    def close(self) -> None:
        """Writes the lines that are left as an object."""
        with self._lock:
            if self._lines:
                self._upload()

    def _upload(self) -> None:
        """Writes an object; the caller holds the lock."""
        if self._timer is not None:
            # Each timer is a thread, and would cut the next object short.
            self._timer.cancel()
        lines, self._lines, self._size = self._lines, [], 0
        try:
            self._store.pipe_file(f"{self._root}/{self._next_name()}", b"".join(lines))
        except Exception as error:  # Each store has exceptions of its own.
            self._count_failed(len(lines), error)
        else:
            self._count_written(len(lines))


def open_payload_files(settings: Settings, target: str) -> PayloadFiles:
    """Returns the place that the settings name.

    Raises:
        SetupError: the folder cannot be made, or fsspec cannot be used.
    """
    try:
        if "://" in target:
            return Store(target, settings.payload_log_file_bytes)
        sizes = settings.payload_log_file_bytes, settings.payload_log_max_bytes
        return Folder(Path(target), *sizes)
    except ImportError as error:
        raise SetupError(
            f"LECTERN_PAYLOAD_LOG: {target} needs the package {error.name or error}: "
            "pip install 'lectern[fsspec]' and the store's own package, such as s3fs, or name a "
            "folder"
        ) from error
    except (OSError, ValueError) as error:
        raise SetupError(f"LECTERN_PAYLOAD_LOG: {target} cannot be used ({error})") from error
