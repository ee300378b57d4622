"""The C library's memory allocator: glibc's settings; others have no such functions.

Source: https://man7.org/linux/man-pages/man3/mallopt.3.html and malloc_trim.3.html
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable

_M_MMAP_THRESHOLD = -3
_M_ARENA_MAX = -8
_ARENAS = 2
_LARGE_BYTES = 128 * 1024


def give_large_blocks_back() -> None:
    """Makes glibc return large blocks to the system as soon as they are freed.

    By default glibc raises its threshold to the size of freed blocks, and keeps them in one
    arena per thread, so that a worker stayed twice as large after it had decoded large images.
    """
    if mallopt := _find("mallopt"):
        mallopt(_M_ARENA_MAX, _ARENAS)
        mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)


def limit_arenas() -> None:
    """Lets all threads share as many of glibc's arenas as there are processors.

    By default there may be eight times as many, and each keeps what its threads have freed.
    """
    if mallopt := _find("mallopt"):
        mallopt(_M_ARENA_MAX, max(_ARENAS, os.cpu_count() or 1))


def give_freed_memory_back() -> None:
    """Returns to the system what is free now and glibc keeps for later."""
    if malloc_trim := _find("malloc_trim"):
        malloc_trim(0)


def _find(name: str) -> Callable[..., int] | None:
    function: Callable[..., int] | None = getattr(ctypes.CDLL(None), name, None)
    return function
