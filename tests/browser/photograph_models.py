"""Models of photographs without TensorFlow, which say in which corner they see red.

A picture with one red corner thus shows which way up a model gets it, and where a map belongs.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tests.fakes import (
    CLASSIFIER,
    GENERATOR,
    HALF_PLUS_TWO,
    LAYERS,
    WRITER,
    FakeSignature,
    Specs,
    classification,
)

CLASSES = 1000
HEIGHT, WIDTH = 64, 96
CORNERS = ("top left", "top right", "bottom left", "bottom right")
TWINS = (134, 517)
"""Two classes of the same name, as ImageNet has them: `crane`, the bird and the machine."""

NAMES = [*CORNERS, *(f"thing {index}" for index in range(len(CORNERS), CLASSES))]
for twin in TWINS:
    NAMES[twin] = "crane"

Arrays = Mapping[str, np.ndarray]


def redness(images: np.ndarray) -> np.ndarray:
    """From images [N, H, W, 3] to maps [N, H, W], positive where they are red."""
    return np.maximum(images[..., 0] - images[..., 1:].max(-1), 0)


def corner_means(images: np.ndarray) -> np.ndarray:
    """The redness of each of the four corners: [N, 4]."""
    red = redness(images)
    rows, columns = np.array_split(red, 2, axis=1), (lambda part: np.array_split(part, 2, axis=2))
    return np.stack([part.mean((1, 2)) for half in rows for part in columns(half)], axis=1)


def scores(images: np.ndarray) -> np.ndarray:
    """The logits [N, K]: a corner's redness, and less for each further class."""
    logits = np.tile(-5 - np.arange(CLASSES) / 100, (len(images), 1))
    logits[:, : len(CORNERS)] = corner_means(images) / 10
    return logits.astype(np.float32)


def classify(inputs: Arrays) -> Arrays:
    return classification(scores(inputs["images"]), [name.encode() for name in NAMES])


def explain(inputs: Arrays) -> Arrays:
    """Red pixels count for the class of their corner, and against every other."""
    top = classify(inputs)["class_index"]
    class_index = np.where(inputs["class_index"] == -1, top, inputs["class_index"])
    sign = np.where(class_index == top, 1, -1)
    attribution = sign[:, np.newaxis, np.newaxis] * redness(inputs["images"])
    return {"attribution": attribution.astype(np.float32), "class_index": class_index}


def classifier(height: int, width: int) -> dict[str, FakeSignature]:
    images: Specs = {"images": (np.float32, (-1, height, width, 3))}
    return {
        "serving_default": FakeSignature(
            classify,
            images,
            {
                "probabilities": (np.float32, (-1, CLASSES)),
                "logits": (np.float32, (-1, CLASSES)),
                "class_index": (np.int32, (-1,)),
                "label": (np.object_, (-1,)),
            },
        ),
        "saliency_gradient": FakeSignature(
            explain,
            {**images, "class_index": (np.int32, (-1,))},
            {"attribution": (np.float32, (-1, height, width)), "class_index": (np.int32, (-1,))},
        ),
        "class_labels": FakeSignature(
            lambda inputs: {"label": np.array(NAMES, object)[inputs["class_index"]]},
            {"class_index": (np.int32, (-1,))},
            {"label": (np.object_, (-1,))},
        ),
    }


def compress(inputs: Arrays) -> Arrays:
    """The mean colour of each corner: [N, 12]."""
    halves = inputs["images"].reshape(-1, 2, SIDE // 2, 2, SIDE // 2, 3)
    return {"code": halves.mean((2, 4)).reshape(-1, 12).round().astype(np.uint8)}


def decompress(inputs: Arrays) -> Arrays:
    corners = inputs["code"].reshape(-1, 2, 2, 3).astype(np.float32)
    return {"images": corners.repeat(SIDE // 2, axis=1).repeat(SIDE // 2, axis=2)}


SIDE = 32
COLOURS: Specs = {"images": (np.float32, (-1, SIDE, SIDE, 3))}
CODE: Specs = {"code": (np.uint8, (-1, 12))}
COLOUR_CODEC = {
    "compress": FakeSignature(compress, COLOURS, CODE),
    "decompress": FakeSignature(decompress, CODE, COLOURS),
}

PLAIN = {
    "serving_default": FakeSignature(
        lambda inputs: {"output_0": corner_means(inputs["keras_tensor"]) / 255},
        {"keras_tensor": (np.float32, (-1, HEIGHT, WIDTH, 3))},
        {"output_0": (np.float32, (-1, len(CORNERS)))},
    )
}
"""As `model.export()` of Keras writes a classifier: no labels, no further tasks."""

MODELS = {
    "digits": CLASSIFIER,
    "corners": classifier(HEIGHT, WIDTH),
    "any_size": classifier(-1, -1),
    "plain": PLAIN,
    "numbers": HALF_PLUS_TWO,
    "layered": LAYERS,
    "generator": GENERATOR,
    "colour_codec": COLOUR_CODEC,
    "writer": WRITER,
}
