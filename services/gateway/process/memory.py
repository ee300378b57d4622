"""Settings of the C library's memory allocator.

Source: https://man7.org/linux/man-pages/man3/mallopt.3.html
"""

from __future__ import annotations

import ctypes

_M_MMAP_THRESHOLD = -3
_M_ARENA_MAX = -8
_ARENAS = 2
_LARGE_BYTES = 128 * 1024


def give_large_blocks_back() -> None:
    """Makes glibc return large freed blocks to the system; does nothing with other C libraries.

    By default glibc raises its threshold to the size of freed blocks, and keeps them in one
    arena per thread, so that a worker stayed twice as large after it had decoded large images.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt:
        mallopt(_M_ARENA_MAX, _ARENAS)
        mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
