"""A data set of a few hundred images in Fashion-MNIST's format, easy to learn."""

from __future__ import annotations

import gzip
import hashlib
import struct
from pathlib import Path

import numpy as np

from training.cli import main
from training.data import fashion_mnist as data

SIZES = {"train": 240, "t10k": 60}


def write_dataset(folder: Path) -> None:
    """Writes the four files. Each class lights two rows of its own, over noise."""
    folder.mkdir(parents=True, exist_ok=True)
    for seed, (prefix, size) in enumerate(SIZES.items()):
        generator = np.random.default_rng(seed)
        labels = np.arange(size, dtype=np.uint8) % 10
        images = generator.integers(0, 40, (size, 28, 28), dtype=np.uint8)
        for offset in (4, 5):
            images[np.arange(size), labels * 2 + offset] += 200
        write_idx(folder / f"{prefix}-images-idx3-ubyte.gz", images)
        write_idx(folder / f"{prefix}-labels-idx1-ubyte.gz", labels)


def write_idx(path: Path, values: np.ndarray) -> None:
    header = struct.pack(f">BBBB{values.ndim}I", 0, 0, 8, values.ndim, *values.shape)
    path.write_bytes(gzip.compress(header + values.tobytes(), mtime=0))


def checksums(folder: Path) -> dict[str, str]:
    return {
        name: hashlib.sha256(gzip.decompress((folder / f"{name}.gz").read_bytes())).hexdigest()
        for name in data.SHA256
    }


def run_cli(folder: Path, arguments: list[str]) -> None:
    """Runs the command line on the tiny data, for a test that needs a process of its own."""
    data.SHA256.update(checksums(folder))
    main([*arguments, "--data", str(folder)])
