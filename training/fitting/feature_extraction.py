"""Feature extraction: computes the features of frozen layers once, and trains on them."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt

from training.data.fashion_mnist import Split

_CHUNK = 1_000  # images


def extract_features(
    model: keras.Model, layer_name: str, splits: tuple[Split, Split], folder: Path
) -> tuple[keras.Model, tuple[Split, Split]]:
    """Splits a network after its frozen layers, and runs those over the images.

    Args:
        model: The network.
        layer_name: The last frozen layer.
        splits: Training and validation images.
        folder: Stores the features, so that an interrupted call resumes.

    Returns:
        The layers after the frozen ones, which share their weights with the model; and the splits
        with float16 features instead of images.
    """
    cut = model.get_layer(layer_name).output
    base, head = keras.Model(model.input, cut), keras.Model(cut, model.output)
    base.compile(jit_compile=False)
    folder.mkdir(parents=True, exist_ok=True)
    training, validation = (
        Split(_features(base, split, folder / name), split.labels)
        for split, name in zip(splits, ("training", "validation"), strict=True)
    )
    return head, (training, validation)


def _features(base: keras.Model, split: Split, prefix: Path) -> npt.NDArray[np.float16]:
    chunks = []
    for start in range(0, len(split), _CHUNK):
        path = prefix.with_name(f"{prefix.name}-{start}.npy")
        if not path.exists():
            images = split.images[start : start + _CHUNK, ..., None].astype(np.float32)
            draft = path.with_suffix(".partial.npy")
            np.save(draft, base.predict(images, batch_size=100, verbose=0).astype(np.float16))
            draft.replace(path)
        chunks.append(np.load(path))
    return np.concatenate(chunks)
