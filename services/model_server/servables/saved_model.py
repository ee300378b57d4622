"""A SavedModel in a session, which is how TensorFlow Serving runs one.

`tf.compat.v1.saved_model.load` takes TF1 and TF2 models alike, and a callable made from
`CallableOptions` leaves shapes to the graph; `Session.run` would check them against the
placeholders, which TensorFlow Serving does not.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from tensorflow.core.protobuf import config_pb2

from services.model_server.errors import ServingError
from services.model_server.servables.servable import Arrays
from services.serving_api.protos import error_codes_pb2, meta_graph_pb2
from services.serving_api.signatures import Signature, signature_from

_Run = Callable[..., list[Any]]


class SavedModelServable:
    """One SavedModel, loaded and ready to run (see `Servable`)."""

    def __init__(
        self,
        path: Path,
        tags: Sequence[str] = ("serve",),
        config: config_pb2.ConfigProto | None = None,
    ) -> None:
        """Load a SavedModel.

        Args:
            path: its folder.
            tags: which of its graphs.
            config: threads, GPU memory and optimisations of the session.

        Raises:
            ServingError: the folder holds no SavedModel with these tags, or a broken one.
        """
        graph = tf.Graph()
        self._session = tf.compat.v1.Session(graph=graph, config=config)
        try:
            with graph.as_default():
                meta_graph = tf.compat.v1.saved_model.load(self._session, list(tags), str(path))
        except Exception as error:
            self._session.close()
            raise _load_error(path, error) from error
        self.signature_defs: Mapping[str, meta_graph_pb2.SignatureDef] = dict(
            meta_graph.signature_def
        )
        self.signatures: Mapping[str, Signature] = {
            name: signature_from(proto) for name, proto in self.signature_defs.items()
        }
        self._callables: dict[tuple[str, tuple[str, ...]], _Run] = {}
        self._making = threading.Lock()

    def run(
        self, signature_name: str, inputs: Arrays, output_names: Sequence[str]
    ) -> dict[str, npt.NDArray[Any]]:
        """See `Servable.run`."""
        # Sorted, so that the order in which a client names outputs makes no new callable.
        outputs = tuple(sorted(output_names))
        feeds = [inputs[name] for name in self.signatures[signature_name].inputs]
        try:
            fetched = self._callable(signature_name, outputs)(*feeds)
        except tf.errors.OpError as error:
            raise ServingError(error.error_code, error.message) from None
        arrays = dict(zip(outputs, map(np.asarray, fetched), strict=True))
        return {name: arrays[name] for name in output_names}

    def close(self) -> None:
        """See `Servable.close`."""
        self._callables.clear()
        self._session.close()

    def _callable(self, signature_name: str, outputs: tuple[str, ...]) -> _Run:
        key = (signature_name, outputs)
        if key not in self._callables:
            with self._making:
                if key not in self._callables:
                    self._callables[key] = self._make_callable(*key)
        return self._callables[key]

    def _make_callable(self, signature_name: str, outputs: tuple[str, ...]) -> _Run:
        proto = self.signature_defs[signature_name]
        options = config_pb2.CallableOptions(
            feed=[info.name for info in proto.inputs.values()],
            fetch=[proto.outputs[name].name for name in outputs],
        )
        run: _Run = self._session._make_callable_from_options(options)
        return run


def _load_error(path: Path, error: Exception) -> ServingError:
    code = error.error_code if isinstance(error, tf.errors.OpError) else error_codes_pb2.NOT_FOUND
    return ServingError(code, f"Could not load the SavedModel in {path}: {error}")
