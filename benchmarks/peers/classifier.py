"""The model of the peers, with the decoding and encoding around it."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
from PIL import Image

from benchmarks.in_process import InProcessModel

Images = npt.NDArray[np.float32]


def decode_png(content: bytes) -> Images:
    """Returns the image of a PNG file, [1, H, W, 1]."""
    return np.asarray(Image.open(io.BytesIO(content)).convert("L"), np.float32)[None, ..., None]


def decode_json(content: bytes) -> Images:
    """Returns the images of TensorFlow Serving's JSON, [N, H, W, 1]."""
    return np.array(orjson.loads(content)["instances"], np.float32)


class Classifier:
    """The course's CNN in the process of a peer."""

    def __init__(self) -> None:
        self._model = InProcessModel()

    def predict(self, images: Images) -> list[dict[str, Any]]:
        """Returns a prediction for each image."""
        outputs = self._model.predict(images)
        rows = zip(outputs["label"], outputs["class_index"], outputs["probabilities"], strict=True)
        return [
            {"label": label.decode(), "class_index": int(index), "probabilities": row.tolist()}
            for label, index, row in rows
        ]

    def answer(self, images: Images) -> bytes:
        """Returns the predictions as JSON."""
        return encode(self.predict(images))


def encode(predictions: list[dict[str, Any]]) -> bytes:
    """Returns predictions as TensorFlow Serving's JSON."""
    return orjson.dumps({"predictions": predictions})
