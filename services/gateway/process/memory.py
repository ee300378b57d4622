"""How the C library keeps the memory that large images and answers took for a moment.

Source: https://man7.org/linux/man-pages/man3/mallopt.3.html
"""

from __future__ import annotations

import ctypes

_M_MMAP_THRESHOLD = -3
_M_ARENA_MAX = -8
_ARENAS = 2
_LARGE_BYTES = 128 * 1024


def give_large_blocks_back() -> None:
    """Have large blocks go back to the system when they are free, where this is glibc.

    Left alone, it takes the size of freed blocks for the size of what to keep, in an arena for each
    of many threads: a worker that had decoded large images stayed twice as large.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt:
        mallopt(_M_ARENA_MAX, _ARENAS)
        mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
