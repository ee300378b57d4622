"""Runs an export as TensorFlow Serving does: a graph in a session."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from tensorflow.core.protobuf import config_pb2


class SessionModel:
    """A SavedModel in a TensorFlow 1 session; use it in a `with` block.

    Args:
        version: The folder of the SavedModel.
    """

    def __init__(self, version: Path) -> None:
        graph = tf.Graph()
        with graph.as_default():
            self._session = tf.compat.v1.Session(graph=graph)
            meta_graph = tf.compat.v1.saved_model.load(self._session, ["serve"], str(version))
        self.signatures = {
            name: signature
            for name, signature in meta_graph.signature_def.items()
            if not name.startswith("__")
        }

    def run(self, signature_name: str, **inputs: Any) -> dict[str, npt.NDArray[Any]]:
        """Returns the outputs of a signature by name.

        Args:
            signature_name: The signature.
            inputs: An array, or what NumPy makes one of, for each input.
        """
        signature = self.signatures[signature_name]
        if inputs.keys() != set(signature.inputs):
            raise ValueError(f"received {sorted(inputs)}, expected {sorted(signature.inputs)}")
        arrays = (
            np.asarray(inputs[name], tf.as_dtype(info.dtype).as_numpy_dtype)
            for name, info in signature.inputs.items()
        )
        outputs = self.unchecked(signature_name)(*arrays)
        return dict(zip(signature.outputs, outputs, strict=True))

    def unchecked(self, signature_name: str) -> Callable[..., list[npt.NDArray[Any]]]:
        """Returns a function that runs a signature on inputs of any shape, by position.

        That is how TensorFlow Serving feeds them; `Session.run` would compare their shapes first.
        """
        signature = self.signatures[signature_name]
        options = config_pb2.CallableOptions(
            feed=[tensor.name for tensor in signature.inputs.values()],
            fetch=[tensor.name for tensor in signature.outputs.values()],
        )
        run: Callable[..., list[npt.NDArray[Any]]]
        run = self._session._make_callable_from_options(options)
        return run

    def describe(self, signature_name: str) -> tuple[str, str]:
        """Returns the inputs and the outputs of a signature as text."""
        signature = self.signatures[signature_name]
        return _describe(signature.inputs), _describe(signature.outputs)

    def __enter__(self) -> SessionModel:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()


def _describe(tensors: Any) -> str:
    lines = []
    for name, info in sorted(tensors.items()):
        sizes = ["N" if dim.size < 0 else str(dim.size) for dim in info.tensor_shape.dim]
        lines.append(f"{name} {tf.as_dtype(info.dtype).name}[{', '.join(sizes)}]")
    return "\n".join(lines)
