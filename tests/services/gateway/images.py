"""Image files for tests."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

GREY = np.random.default_rng(3).integers(0, 256, (28, 28), dtype=np.uint8)


def encode(image: Image.Image | np.ndarray, file_format: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    picture = image if isinstance(image, Image.Image) else Image.fromarray(image)
    # That format knows no greys.
    picture = picture.convert("RGB") if file_format == "QOI" else picture
    picture.save(file, file_format, **options)
    return file.getvalue()


PNG = encode(GREY)
