"""The `Input` of Classify, Regress and MultiInference as the tensor that a model parses.

Source: tensorflow_serving/servables/tensorflow/util.cc, `InputToSerializedExampleTensor`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from services.model_server.errors import invalid_argument
from services.serving_api.protos import input_pb2


def serialize_examples(message: input_pb2.Input) -> npt.NDArray[Any]:
    """Returns one serialized `tf.Example` an entry, of shape [N] and dtype object.

    A context goes before each example: where both have a feature, protobuf's merging lets the
    example win.

    Raises:
        ServingError: INVALID_ARGUMENT, there is no example.
    """
    kind = message.WhichOneof("kind")
    context = b""
    if kind == "example_list_with_context":
        context = message.example_list_with_context.context.SerializeToString()
    serialized = [
        context + example.SerializeToString()
        for example in (getattr(message, kind).examples if kind else ())
    ]
    if not serialized:
        raise invalid_argument("Input is empty.")
    return np.array(serialized, np.object_)
