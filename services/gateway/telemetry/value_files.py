"""Value files for multiprocess metrics that survive a full disk.

Prometheus's client maps its files into memory, and a process that writes to a mapped page for which
the disk has no space is killed (SIGBUS). This module reserves the space before a file is mapped or
extended. Values without space stay in memory, and are written when there is space again.
"""

from __future__ import annotations

import os

import structlog
from prometheus_client import values
from prometheus_client.mmap_dict import MmapedDict

_INITIAL_BYTES = 2**16
_BYTES_BESIDE_KEY = 32

log = structlog.get_logger()


def reserve_space_for_values() -> None:
    """Makes Prometheus's client use `ReservedValues`; must be called before metrics are created."""
    values.MmapedDict = ReservedValues  # type: ignore[assignment,attr-defined]


class ReservedValues(MmapedDict):
    """Values in a mapped file whose space is reserved."""

    def __init__(self, filename: str) -> None:
        self._fname = filename
        self._f = None  # type: ignore[assignment]
        self._positions: dict[str, int] = {}
        self._is_full = False

    def read_value(self, key: str) -> tuple[float, float]:
        """Returns a value and its time; zeros if there is no space for it."""
        try:
            value: tuple[float, float] = super().read_value(key)  # type: ignore[no-untyped-call]
        except OSError as error:
            self._warn_once(error)
            return 0.0, 0.0
        return value

    def write_value(self, key: str, value: float, timestamp: float) -> None:
        """Writes a value if there is space for it; its metric keeps it in memory in any case."""
        try:
            super().write_value(key, value, timestamp)  # type: ignore[no-untyped-call]
        except OSError as error:
            self._warn_once(error)

    def _init_value(self, key: str) -> None:
        if self._f is None:
            self._open()
            if key in self._positions:  # From an earlier process with the same id.
                return
        needed = self._used + len(key.encode()) + _BYTES_BESIDE_KEY
        capacity = self._capacity
        while needed > capacity:
            capacity *= 2
        if capacity > self._capacity:
            os.posix_fallocate(self._f.fileno(), 0, capacity)
        super()._init_value(key)  # type: ignore[no-untyped-call]

    def _open(self) -> None:
        if not os.path.exists(self._fname):
            # Under a temporary name, since a scrape would fail at an empty file.
            new = f"{self._fname}.new"
            try:
                with open(new, "wb") as file:
                    os.posix_fallocate(file.fileno(), 0, _INITIAL_BYTES)
                os.rename(new, self._fname)
            except OSError:
                if os.path.exists(new):
                    os.remove(new)
                raise
        super().__init__(self._fname)  # type: ignore[no-untyped-call]

    def _warn_once(self, error: OSError) -> None:
        if not self._is_full:
            self._is_full = True
            log.warning(
                "some metrics stay in memory until there is space for them",
                reason=error.strerror,
                file=self._fname,
            )
