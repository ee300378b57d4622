"""Limits for every image file: the request's deadline, and the cost of decoding it."""

from __future__ import annotations

import io
import time
from bisect import bisect_right
from collections.abc import Sequence


class TooCostly(Exception):  # noqa: N818 - the file is at fault, not the program
    """Decoding an image would take too much memory or time; the message says what to send."""


class OutOfTime(Exception):  # noqa: N818
    """The request's deadline passed before its image was decoded."""


class TimedFile(io.BytesIO):
    """A file in memory that can be read until a deadline.

    Pillow reads a file in pieces and decodes each piece before it reads the next one.

    Args:
        content: content of the file.
        deadline: the deadline, by `time.monotonic`.
        stops: offsets in ascending order, at which pieces must end.
    """

    def __init__(self, content: bytes, deadline: float, stops: Sequence[int] = ()) -> None:
        super().__init__(content)
        self._deadline = deadline
        self._stops = stops

    def read(self, size: int | None = -1, /) -> bytes:
        """Returns the next bytes.

        Raises:
            OutOfTime: the deadline has passed.
        """
        if time.monotonic() > self._deadline:
            raise OutOfTime
        following = bisect_right(self._stops, self.tell())
        if following < len(self._stops):
            room = self._stops[following] - self.tell()
            size = room if size is None or size < 0 else min(size, room)
        return super().read(size)
