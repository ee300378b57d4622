"""Photographs to compare networks on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from training.errors import DatasetError
from training.signatures.image_files import decode_images

PHOTOGRAPHS = Path("services/gateway/static/samples/photographs")

Array = npt.NDArray[np.float32]


def read_photographs(folder: Path) -> dict[str, bytes]:
    """Returns the JPEG files of a folder by their names without the extension, sorted.

    Raises:
        DatasetError: The folder contains none.
    """
    paths = sorted(folder.glob("*.jpg"))
    if not paths:
        raise DatasetError(f"{folder} contains no files that end in .jpg; expected photographs.")
    return {path.stem: path.read_bytes() for path in paths}


def as_images(files: list[bytes], size: int) -> Array:
    """Returns photographs as `predict_bytes` sees them, float32 [N, size, size, 3]."""
    images: Array = decode_images(tf.constant(files), size, size, 3).numpy()
    return images


def cut_views(images: Array) -> Array:
    """Returns twelve views of each image: whole, its centre and its quarters, and their mirrors."""
    size = images.shape[1]
    half, quarter = size // 2, size // 4
    corners = [(quarter, quarter), *((top, left) for top in (0, half) for left in (0, half))]
    parts = [images[:, top : top + half, left : left + half] for top, left in corners]
    enlarged = [tf.image.resize(part, [size, size]).numpy() for part in parts]
    views = np.concatenate([images, *enlarged])
    return np.concatenate([views, views[:, :, ::-1]])
