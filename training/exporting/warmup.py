"""Warm-up requests, which a model server replays before it serves a version.

See https://www.tensorflow.org/tfx/serving/saved_model_warmup.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy.typing as npt
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

from training.signatures.signature import Signature

WARMUP_PATH = Path("assets.extra") / "tf_serving_warmup_requests"


def write_warmup_requests(version: Path, name: str, signatures: Iterable[Signature]) -> None:
    """Writes one request per signature into the folder of a version.

    Args:
        version: The folder of the SavedModel.
        name: Name of the model.
        signatures: The signatures, each with its example.
    """
    path = version / WARMUP_PATH
    path.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for signature in signatures:
            log = prediction_log_pb2.PredictionLog(
                predict_log=prediction_log_pb2.PredictLog(request=_request(name, signature))
            )
            writer.write(log.SerializeToString())


def read_warmup_requests(version: Path) -> dict[str, dict[str, Any]]:
    """Returns the inputs of each warm-up request by signature; empty if there is no such file."""
    path = version / WARMUP_PATH
    if not path.is_file():
        return {}
    requests = [
        prediction_log_pb2.PredictionLog.FromString(record.numpy()).predict_log.request
        for record in tf.data.TFRecordDataset(str(path))
    ]
    return {
        request.model_spec.signature_name: {
            name: tf.make_ndarray(proto) for name, proto in request.inputs.items()
        }
        for request in requests
    }


def _request(name: str, signature: Signature) -> predict_pb2.PredictRequest:
    request = predict_pb2.PredictRequest()
    request.model_spec.name = name
    request.model_spec.signature_name = signature.name
    for input_name, values in signature.example.items():
        request.inputs[input_name].CopyFrom(_small_proto(values))
    return request


def _small_proto(values: npt.NDArray[Any]) -> tensor_pb2.TensorProto:
    """Returns a tensor that holds its value once if all are equal, as in a black image."""
    first = values.flat[0]
    if values.dtype == object or not (values == first).all():
        return tf.make_tensor_proto(values)
    return tf.make_tensor_proto(first, shape=values.shape)
