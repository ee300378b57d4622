"""Fills disks."""

from __future__ import annotations

from pathlib import Path


def fill(disk: Path) -> Path:
    """Fill a disk to its last byte with a file."""
    file = disk / "filler"
    with file.open("ab", buffering=0) as filler:
        for size in (4096, 1):
            try:
                while filler.write(bytes(size)):
                    pass
            except OSError:
                pass
    return file
