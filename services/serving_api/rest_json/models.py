"""The JSON of TensorFlow Serving's REST calls about a model: its status and its metadata.

Source: tensorflow_serving/model_servers/http_rest_api_util.cc, `ToJsonString`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from google.protobuf.json_format import MessageToJson
from google.protobuf.message import Message

from services.serving_api.protos import get_model_metadata_pb2, get_model_status_pb2


def status_json(response: get_model_status_pb2.GetModelStatusResponse) -> str:
    """Writes the versions of a model and their states."""
    return _to_json(response)


class ModelDescription(NamedTuple):
    """A model in the server's list.

    Attributes:
        name: the name that requests use.
        status: its versions and their states.
        version_labels: the version of each label.
        problem: the reason why no version can be loaded, None if one can.
    """

    name: str
    status: get_model_status_pb2.GetModelStatusResponse
    version_labels: Mapping[str, int]
    problem: str | None


def models_json(models: Sequence[ModelDescription]) -> str:
    """Writes the list of models with their status; TensorFlow Serving has no such call."""
    entries = [
        {
            "name": model.name,
            **json.loads(_to_json(model.status)),
            "version_labels": {label: str(of) for label, of in model.version_labels.items()},
            "problem": model.problem or "",
        }
        for model in models
    ]
    return json.dumps({"models": entries})


def metadata_json(response: get_model_metadata_pb2.GetModelMetadataResponse) -> str:
    """Writes the signatures of a model."""
    # Member by member, since TensorFlow Serving omits the `@type` that an Any would get.
    signature_map = get_model_metadata_pb2.SignatureDefMap()
    response.metadata["signature_def"].Unpack(signature_map)
    return (
        f'{{\n"model_spec":{_to_json(response.model_spec)},\n'
        f'"metadata": {{"signature_def": {_to_json(signature_map)}}}\n}}\n'
    )


def _to_json(message: Message) -> str:
    return MessageToJson(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
