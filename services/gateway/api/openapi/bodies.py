"""What the calls take, with examples: images in every form, TensorFlow Serving's JSON, codes."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from services.gateway.api.v2.messages import InferRequest
from services.gateway.codecs.code_container import MEDIA_TYPE

BINARY = {"type": "string", "format": "binary"}
"""Any bytes."""

SAMPLE = "samples/ankle_boot.png"
"""Beneath the static folder."""

REFERENCE = "#/components/schemas/{model}"
"""To the schema of a model."""

Schema = dict[str, Any]

_IMAGE_TYPES = ("image/jpeg", "image/webp", "image/gif", "image/bmp", "image/tiff", "image/avif")
_BOOT = (Path(__file__).parents[2] / "static" / SAMPLE).read_bytes()
_ENCODED_BOOT = {"b64": base64.b64encode(_BOOT).decode()}
_INSTANCES = {
    "type": "array",
    "minItems": 1,
    "description": "one value an example, or an object of values by input name",
    "items": {},
}
_INPUTS = {"description": "the values of all examples, or an object of them by input name"}
_ROWS_OR_COLUMNS = [{"required": ["instances"]}, {"required": ["inputs"]}]


def image_content(parameters: type[BaseModel], **example: Any) -> dict[str, Any]:
    """Describe the body of a call that takes images.

    Args:
        parameters: what may stand beside the images in JSON and in a form.
        **example: some of them, for the example in JSON.
    """
    fields = _fields(parameters)
    return {
        **_image_files(fields),
        "application/json": {
            "schema": {
                "type": "object",
                "properties": {"instances": _INSTANCES, "inputs": _INPUTS, **fields},
                "oneOf": _ROWS_OR_COLUMNS,
            },
            "examples": {"file": {"value": {"instances": [_ENCODED_BOOT], **example}}},
        },
    }


def predict_content(parameters: type[BaseModel]) -> dict[str, Any]:
    """Describe the body of `:predict`: images as files or in JSON, or TensorFlow Serving's JSON."""
    name = {"type": "string", "description": "serving_default, if it is not given"}
    fields = _fields(parameters)
    return {
        **_image_files(fields),
        "application/json": {
            "schema": {
                "type": "object",
                "properties": {
                    "signature_name": name,
                    "instances": _INSTANCES,
                    "inputs": _INPUTS,
                    **fields,
                },
                "oneOf": _ROWS_OR_COLUMNS,
            },
            "examples": {
                "images": {
                    "summary": "Images, answered like files",
                    "value": {"instances": [_ENCODED_BOOT], "top": 2},
                },
                "rows": {
                    "summary": "Row by row: a file, decoded by the model itself",
                    "value": {"signature_name": "predict_bytes", "instances": [_ENCODED_BOOT]},
                },
                "columns": {
                    "summary": "Column by column: the names of two classes",
                    "value": {"signature_name": "class_labels", "inputs": {"class_index": [0, 1]}},
                },
            },
        },
    }


def field_content(
    parameters: type[BaseModel], examples: Mapping[str, Mapping[str, Any]], images: bool = False
) -> dict[str, Any]:
    """Describe the body of a call whose parameters are all it needs.

    Args:
        parameters: of the call.
        examples: some of them, by what they show.
        images: whether images may come with them, as files of a form or in JSON.
    """
    fields = _fields(parameters)
    members = {"instances": _INSTANCES, "inputs": _INPUTS, **fields} if images else fields
    plain = {"schema": {"type": "object", "properties": fields}}
    form = {"schema": _form(fields)} if images else plain
    return {
        "application/json": {
            "schema": {"type": "object", "properties": members, "additionalProperties": False},
            "examples": {name: {"value": value} for name, value in examples.items()},
        },
        "multipart/form-data": form,
        "application/x-www-form-urlencoded": plain,
    }


def examples_content() -> dict[str, Any]:
    """Describe the body of `:classify` and `:regress`."""
    return {
        "application/json": {
            "schema": {
                "type": "object",
                "properties": {
                    "signature_name": {"type": "string"},
                    "context": {"type": "object"},
                    "examples": {"type": "array", "minItems": 1, "items": {"type": "object"}},
                },
                "required": ["examples"],
            },
            "examples": {"features": {"value": {"examples": [{"x": 1.0}, {"x": 2.5}]}}},
        }
    }


def code_content(document: Schema) -> dict[str, Any]:
    """Describe the body of `:decompress`.

    Args:
        document: the schema of the JSON that `:compress` answers.
    """
    # What the codec's first version makes of the sample.
    code = [
        *(117, 196, 103, 75, 57, 138, 197, 105, 102, 104, 137, 68, 120, 55, 184, 122),
        *(135, 131, 196, 132, 119, 197, 68, 132, 151, 185, 149, 103, 102, 75, 106, 154),
    ]
    example = {
        "model": {"name": "codec", "version": "1"},
        "image_shape": [28, 28, 1],
        "dtype": "uint8",
        "codes": [code],
    }
    return {
        MEDIA_TYPE: {"schema": BINARY},
        "application/json": {"schema": document, "examples": {"codes": {"value": example}}},
        "multipart/form-data": {"schema": _form({})},
    }


def inference_content() -> dict[str, Any]:
    """Describe the body of an inference by the Open Inference Protocol."""
    tensor = {"name": "class_index", "shape": [2], "datatype": "INT32", "data": [0, 1]}
    labels = {"parameters": {"signature_name": "class_labels"}, "inputs": [tensor]}
    # Tensors may also follow the JSON as bytes, which OpenAPI has no words for.
    schema = InferRequest.model_json_schema(ref_template=REFERENCE)
    schema.pop("$defs")
    return {"application/json": {"schema": schema, "examples": {"labels": {"value": labels}}}}


def _fields(parameters: type[BaseModel]) -> Schema:
    properties: Schema = parameters.model_json_schema().get("properties", {})
    return properties


def _image_files(fields: Schema) -> dict[str, Any]:
    png = {"schema": BINARY, "examples": {"boot": {"externalValue": f"/static/{SAMPLE}"}}}
    return {
        "image/png": png,
        **{media_type: {"schema": BINARY} for media_type in _IMAGE_TYPES},
        "multipart/form-data": {"schema": _form(fields)},
    }


def _form(fields: Schema) -> Schema:
    files = {"type": "array", "minItems": 1, "items": BINARY}
    return {"type": "object", "properties": {"files": files, **fields}, "required": ["files"]}
