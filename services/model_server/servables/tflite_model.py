"""A TensorFlow Lite model, which `--prefer_tflite_model` loads in a SavedModel's place."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from services.model_server.errors import ServingError, invalid_argument
from services.model_server.servables.cancellation import current_cancellation
from services.model_server.servables.tensorflow_core import Interpreter
from services.model_server.servables.tflite_signatures import read_signatures
from services.serving_api.arrays import Arrays
from services.serving_api.protos import error_codes_pb2, meta_graph_pb2
from services.serving_api.signatures import Signature, signature_from

FILE_NAME = "model.tflite"


class TfLiteServable:
    """One TensorFlow Lite model with its signatures (see `Servable`).

    An interpreter holds the tensors of one run, so that requests run one after another.
    """

    def __init__(self, path: Path) -> None:
        """Loads `model.tflite` from a version's folder.

        Raises:
            ServingError: The file is damaged.
        """
        try:
            content = (path / FILE_NAME).read_bytes()
            with warnings.catch_warnings():
                # TensorFlow points at another package, which it does not bring along.
                warnings.filterwarnings("ignore", "(?s).*tf.lite.Interpreter is deprecated")
                interpreter = Interpreter(model_content=content)
            signatures = read_signatures(interpreter, content)
        except ValueError as error:
            raise ServingError(
                error_codes_pb2.INVALID_ARGUMENT, f"Could not load {path / FILE_NAME}: {error}"
            ) from error
        self._runs = {name: signature.run for name, signature in signatures.items()}
        self.signature_defs: Mapping[str, meta_graph_pb2.SignatureDef] = {
            name: signature.proto for name, signature in signatures.items()
        }
        self.signatures: Mapping[str, Signature] = {
            name: signature_from(proto) for name, proto in self.signature_defs.items()
        }
        self._running = threading.Lock()

    def run(
        self, signature_name: str, inputs: Arrays, output_names: Sequence[str]
    ) -> dict[str, npt.NDArray[Any]]:
        """See `Servable.run`.

        Raises:
            ServingError: also INVALID_ARGUMENT for an empty input, on which the interpreter's
                convolutions end the process.
        """
        for name, array in inputs.items():
            if not array.size:
                raise invalid_argument(
                    f"input {name!r} has the shape {list(array.shape)}, which is empty: a "
                    "TensorFlow Lite model needs at least one element"
                )
        try:
            with self._running:
                current_cancellation().check()
                outputs = self._runs[signature_name](inputs)
                # The interpreter reuses its buffers at the next run.
                return {name: np.array(outputs[name]) for name in output_names}
        except (RuntimeError, ValueError) as error:
            raise invalid_argument(f"the TensorFlow Lite model failed: {error}") from None

    def close(self) -> None:
        """See `Servable.close`."""
        self._runs.clear()
