from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.codecs.image_files.messages import Messages


@pytest.fixture(scope="module")
def ends() -> Iterator[tuple[Messages, Messages]]:
    ours, theirs = map(Messages, socket.socketpair())
    yield ours, theirs
    ours.close()
    theirs.close()


@given(st.dictionaries(st.text(), st.integers() | st.text() | st.booleans()), st.binary())
def test_a_message_arrives_as_it_was_sent(ends, values, content):
    ours, theirs = ends
    ours.send(values, content)
    assert theirs.receive(5) == (values, content)


def test_receiving_ends_at_the_timeout():
    ours, theirs = map(Messages, socket.socketpair())
    with pytest.raises(TimeoutError):
        theirs.receive(0.01)
    ours.close()
    theirs.close()


def test_the_end_of_one_end_is_noticed_by_the_other():
    ours, theirs = map(Messages, socket.socketpair())
    ours.close()
    with pytest.raises(EOFError):
        theirs.receive(5)
    with pytest.raises(BrokenPipeError):
        theirs.send({})
    theirs.close()
