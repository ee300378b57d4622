from __future__ import annotations

import json

from services.serving_api.protos import (
    error_codes_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    types_pb2,
)
from services.serving_api.rest_json.models import metadata_json, status_json


def test_a_status_is_written_as_in_tensorflow_servings_guide():
    response = get_model_status_pb2.GetModelStatusResponse()
    version = response.model_version_status.add(version=123, state=30)
    version.status.error_code = error_codes_pb2.OK
    # Source: tensorflow_serving/g3doc/api_rest.md, with int64 as proto3 writes it: a string.
    assert json.loads(status_json(response)) == {
        "model_version_status": [
            {
                "version": "123",
                "state": "AVAILABLE",
                "status": {"error_code": "OK", "error_message": ""},
            }
        ]
    }


def test_metadata_has_no_type_and_all_fields():
    signature_map = get_model_metadata_pb2.SignatureDefMap()
    info = signature_map.signature_def["serving_default"].inputs["x"]
    info.name = "x:0"
    info.dtype = types_pb2.DT_FLOAT
    info.tensor_shape.dim.add(size=-1)
    response = get_model_metadata_pb2.GetModelMetadataResponse()
    response.model_spec.name = "m"
    response.model_spec.version.value = 2
    response.metadata["signature_def"].Pack(signature_map)

    document = json.loads(metadata_json(response))
    assert document["model_spec"] == {"name": "m", "signature_name": "", "version": "2"}
    assert document["metadata"].keys() == {"signature_def"}
    signature = document["metadata"]["signature_def"]["signature_def"]["serving_default"]
    assert signature["method_name"] == ""
    assert signature["outputs"] == {}
    assert signature["inputs"]["x"] == {
        "name": "x:0",
        "dtype": "DT_FLOAT",
        "tensor_shape": {"dim": [{"size": "-1", "name": ""}], "unknown_rank": False},
    }
