"""The JSON of TensorFlow Serving's REST calls about a model: its status and its metadata.

Source: tensorflow_serving/model_servers/http_rest_api_util.cc, `ToJsonString`.
"""

from __future__ import annotations

from google.protobuf.json_format import MessageToJson
from google.protobuf.message import Message

from services.serving_api.protos import get_model_metadata_pb2, get_model_status_pb2


def status_json(response: get_model_status_pb2.GetModelStatusResponse) -> str:
    """Write the versions of a model and their states."""
    return _to_json(response)


def metadata_json(response: get_model_metadata_pb2.GetModelMetadataResponse) -> str:
    """Write the signatures of a model."""
    # Member by member, since TensorFlow Serving leaves out the `@type` that an Any would get.
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
