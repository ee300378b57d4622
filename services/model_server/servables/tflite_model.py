"""A TensorFlow Lite model, which `--prefer_tflite_model` loads in a SavedModel's place."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from services.model_server.errors import ServingError, invalid_argument
from services.model_server.servables.cancellation import current_cancellation
from services.model_server.servables.servable import Arrays
from services.serving_api.dtypes import data_type_of
from services.serving_api.protos import error_codes_pb2, meta_graph_pb2
from services.serving_api.signatures import Signature, signature_from

FILE_NAME = "model.tflite"
_METHOD_NAME = "tensorflow/serving/predict"


class TfLiteServable:
    """One TensorFlow Lite model with its signatures (see `Servable`).

    An interpreter holds the tensors of one run, so that requests run one after another.
    """

    def __init__(self, path: Path) -> None:
        """Load `model.tflite` from a version's folder.

        Raises:
            ServingError: the file is broken or has no signature.
        """
        try:
            with warnings.catch_warnings():
                # TensorFlow points at another package, which it does not bring along.
                warnings.filterwarnings("ignore", "(?s).*tf.lite.Interpreter is deprecated")
                interpreter = tf.lite.Interpreter(str(path / FILE_NAME))
            names = list(interpreter.get_signature_list())
            self._runners = {name: interpreter.get_signature_runner(name) for name in names}
        except ValueError as error:
            raise ServingError(
                error_codes_pb2.INVALID_ARGUMENT, f"Could not load {path / FILE_NAME}: {error}"
            ) from error
        if not names:
            raise invalid_argument(
                f"{path / FILE_NAME} has no signature: convert it from a SavedModel"
            )
        self.signature_defs: Mapping[str, meta_graph_pb2.SignatureDef] = {
            name: _signature_def(runner) for name, runner in self._runners.items()
        }
        self.signatures: Mapping[str, Signature] = {
            name: signature_from(proto) for name, proto in self.signature_defs.items()
        }
        self._running = threading.Lock()

    def run(
        self, signature_name: str, inputs: Arrays, output_names: Sequence[str]
    ) -> dict[str, npt.NDArray[Any]]:
        """See `Servable.run`."""
        try:
            with self._running:
                current_cancellation().check()
                outputs = self._runners[signature_name](**inputs)
                # The interpreter reuses its buffers at the next run.
                return {name: np.array(outputs[name]) for name in output_names}
        except (RuntimeError, ValueError) as error:
            raise invalid_argument(f"the TensorFlow Lite model failed: {error}") from None

    def close(self) -> None:
        """See `Servable.close`."""
        self._runners.clear()


def _signature_def(runner: Any) -> meta_graph_pb2.SignatureDef:
    proto = meta_graph_pb2.SignatureDef(method_name=_METHOD_NAME)
    for tensors, details in (
        (proto.inputs, runner.get_input_details()),
        (proto.outputs, runner.get_output_details()),
    ):
        for name, detail in details.items():
            info = tensors[name]
            info.name = detail["name"]
            info.dtype = data_type_of(np.dtype(detail["dtype"]))
            for size in detail["shape_signature"].tolist():
                info.tensor_shape.dim.add(size=size)
    return proto
