"""Writes sample images for trying a service: the first test image of each class."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from training.data.fashion_mnist import CLASS_NAMES, Split, slug


def write_samples(folder: Path, test: Split) -> list[Path]:
    """Writes one grey PNG of 28×28 pixels per class, named after it, such as `ankle_boot.png`.

    Args:
        folder: Destination folder, created if missing.
        test: The test set.

    Returns:
        The paths, in the order of the classes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for label, class_name in enumerate(CLASS_NAMES):
        first = int(np.argmax(test.labels == label))
        path = folder / f"{slug(class_name)}.png"
        Image.fromarray(test.images[first]).save(path, optimize=True)
        paths.append(path)
    return paths
