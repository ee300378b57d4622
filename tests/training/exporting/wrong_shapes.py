"""Feeds wrong shapes to every signature of some exports, and prints a line per shape.

A line names export, signature, input and shape before the signature runs, and the outcome after
it: a shape that TensorFlow cannot stand ends the process. Run it by
`python -m tests.training.exporting.wrong_shapes VERSION…`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from training.exporting.session import SessionModel

MAX_RANK = 6
Shape = tuple[int, ...]


def wrong_shapes(spec: Sequence[int | None]) -> Iterator[Shape]:
    """Yields a shape of every other rank, and shapes with one wrong dimension."""
    right = example_shape(spec)
    for rank in range(MAX_RANK + 1):
        if rank != len(right):
            yield (*right, *[1] * MAX_RANK)[:rank]
    for axis, size in enumerate(spec):
        if size is not None:
            for wrong in (0, size - 1, size + 1):
                yield (*right[:axis], wrong, *right[axis + 1 :])


def odd_batches(spec: Sequence[int | None]) -> Iterator[Shape]:
    """Yields shapes that fit, but whose batch is empty or not that of the other inputs."""
    for size in (0, 2):
        yield (size, *example_shape(spec)[1:])


def example_shape(spec: Sequence[int | None]) -> Shape:
    return tuple(1 if size is None else size for size in spec)


def zeros(shape: Shape, dtype: tf.DType) -> np.ndarray:
    return np.full(shape, b"" if dtype == tf.string else 0, dtype.as_numpy_dtype)


def outcome(run: Callable[..., object], inputs: Iterable[np.ndarray]) -> str:
    """Returns the first line of INVALID_ARGUMENT's message, or the name of another outcome."""
    try:
        run(*inputs)
    except tf.errors.InvalidArgumentError as error:
        return str(error.message).splitlines()[0]
    except tf.errors.OpError as error:
        return type(error).__name__
    return "OK"


def feed(model: SessionModel, version: str, signature_name: str) -> None:
    """Feeds each input of a signature all wrong shapes, while the other inputs are right."""
    run = model.unchecked(signature_name)
    inputs = {
        key: (tf.TensorShape(info.tensor_shape).as_list(), tf.as_dtype(info.dtype))
        for key, info in model.signatures[signature_name].inputs.items()
    }
    right = {key: zeros(example_shape(spec), dtype) for key, (spec, dtype) in inputs.items()}
    for key, (spec, dtype) in inputs.items():
        for kind in (wrong_shapes, odd_batches):
            for shape in kind(spec):
                sys.stdout.write(f"{version} {signature_name} {kind.__name__} {key} {shape}: ")
                sys.stdout.flush()
                found = outcome(run, {**right, key: zeros(shape, dtype)}.values())
                sys.stdout.write(f"{found}\n")


if __name__ == "__main__":
    for folder in sys.argv[1:]:
        with SessionModel(Path(folder)) as loaded:
            for name in loaded.signatures:
                feed(loaded, folder, name)
