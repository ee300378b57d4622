from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.codecs.image_files.bounds import OutOfTime, TimedFile


@given(st.binary(max_size=50), st.lists(st.integers(0, 50)).map(sorted), st.integers(1, 60))
def test_a_file_is_read_whole_in_pieces_that_end_at_the_stops(content, stops, size):
    file = TimedFile(content, time.monotonic() + 60, stops)
    pieces = list(iter(lambda: file.read(size), b""))
    assert b"".join(pieces) == content
    ends = {sum(map(len, pieces[:count])) for count in range(len(pieces) + 1)}
    assert {stop for stop in stops if stop < len(content)} <= ends
    assert all(len(piece) <= size for piece in pieces)


def test_nothing_is_read_after_the_deadline():
    file = TimedFile(b"abc", time.monotonic() - 1)
    with pytest.raises(OutOfTime):
        file.read(1)
