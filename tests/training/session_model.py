"""Runs an export as TensorFlow Serving does: a graph, a session, the restore op, the init op."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import config_pb2


class SessionModel:
    """A SavedModel in a TF1-style session. Close it, or use it in a `with` block."""

    def __init__(self, version: Path) -> None:
        graph = tf.Graph()
        with graph.as_default():
            self._session = tf.compat.v1.Session(graph=graph)
            meta_graph = tf.compat.v1.saved_model.load(self._session, ["serve"], str(version))
        self.signatures = {
            name: signature
            for name, signature in meta_graph.signature_def.items()
            if name != "__saved_model_init_op"
        }

    def run(self, signature_name: str, **inputs: object) -> dict[str, np.ndarray]:
        """Runs a signature on inputs by name and returns its outputs by name."""
        signature = self.signatures[signature_name]
        assert set(inputs) == set(signature.inputs)
        fetches = {name: tensor.name for name, tensor in signature.outputs.items()}
        feeds = {signature.inputs[name].name: values for name, values in inputs.items()}
        return self._session.run(fetches, feeds)

    def unchecked(self, signature_name: str) -> Callable[..., list[np.ndarray]]:
        """Returns a function that runs a signature on inputs of any shape, by position.

        That is how TensorFlow Serving feeds them; `run` compares their shapes first.
        """
        signature = self.signatures[signature_name]
        options = config_pb2.CallableOptions(
            feed=[tensor.name for tensor in signature.inputs.values()],
            fetch=[tensor.name for tensor in signature.outputs.values()],
        )
        return self._session._make_callable_from_options(options)

    def __enter__(self) -> SessionModel:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()
