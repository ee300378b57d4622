"""Balances the connections of worker processes, which all accept from one listener.

The kernel wakes whichever worker comes first, which may get most of a few long connections.
"""

from __future__ import annotations

import mmap

_ABSENT = -1
_ITEM_BYTES = 4


class ConnectionCounts:
    """The numbers of open connections of all workers, in memory that processes share.

    Must be created before the fork.

    Args:
        places: largest number of workers at a time.
    """

    def __init__(self, places: int) -> None:
        self._counts = memoryview(mmap.mmap(-1, places * _ITEM_BYTES)).cast("i")
        for place in range(places):
            self.remove(place)

    def __len__(self) -> int:
        return len(self._counts)

    def record(self, place: int, connections: int) -> None:
        """Records the number of open connections of the worker at a place."""
        self._counts[place] = connections

    def remove(self, place: int) -> None:
        """Removes the worker at a place: it accepts no connections."""
        self._counts[place] = _ABSENT

    def is_most_idle(self, place: int) -> bool:
        """Returns whether no other worker has fewer connections than the one at a place."""
        own = self._counts[place]
        return all(count == _ABSENT or count >= own for count in self._counts)
