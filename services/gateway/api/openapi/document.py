"""Puts the OpenAPI document together.

Source: https://spec.openapis.org/oas/v3.1.0
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

from flask import Flask
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from werkzeug.routing import Rule

from services.gateway.api.openapi.answers import Problem
from services.gateway.api.openapi.bodies import BINARY, REFERENCE
from services.gateway.api.openapi.calls import (
    CALLS,
    MODELS,
    OPERATIONS,
    PAGES,
    PROTOCOL,
    TASKS,
    Answer,
    Call,
)
from services.gateway.api.v2.messages import InferRequest
from services.gateway.middleware.authentication import KEY_HEADER

_CONVERTER = re.compile(r"<(?:\w+:)?(\w+)>")
_PROBLEM = {
    "description": "what was received, what was expected, how to fix it",
    "content": {
        "application/problem+json": {"schema": {"$ref": REFERENCE.format(model="Problem")}}
    },
}
_SEGMENT = {"type": "string", "pattern": "^[^/:]+$"}
_TAGS = {
    TASKS: "What models do. `/versions/N` or `/labels/L` may follow the model everywhere.",
    MODELS: "What is served.",
    PROTOCOL: "The same models for clients of KServe and Triton.",
    OPERATIONS: "For orchestrators and Prometheus.",
    PAGES: "For people.",
}


def openapi_document(app: Flask) -> dict[str, Any]:
    """Describe every call of an application, but for the static files.

    Raises:
        KeyError: a route has no entry in `CALLS`.
    """
    paths: dict[str, dict[str, Any]] = {}
    for rule in app.url_map.iter_rules():
        if not rule.endpoint.endswith("static"):
            path = paths.setdefault(_CONVERTER.sub(r"{\1}", rule.rule), {})
            path.update(_operations(app, rule))
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Lectern",
            "version": "1",
            "description": "Predict, explain, generate and compress, by any model that a "
            "TensorFlow Serving hosts.",
        },
        "tags": [{"name": name, "description": text} for name, text in _TAGS.items()],
        "paths": paths,
        "components": {"schemas": _schemas(), "securitySchemes": _security_schemes()},
        # Only where the gateway was given keys; the empty one says that none may be needed.
        "security": [{}, {"bearer": []}, {"key": []}],
    }


def _operations(app: Flask, rule: Rule) -> Iterator[tuple[str, dict[str, Any]]]:
    call = CALLS[rule.endpoint]
    text = inspect.getdoc(app.view_functions[rule.endpoint]) or ""
    summary, _, description = text.partition("Raises:")[0].strip().partition("\n\n")
    for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
        operation: dict[str, Any] = {
            "operationId": _operation_id(rule),
            "tags": [call.tag],
            "summary": " ".join(summary.split()),
            "description": description,
            "parameters": [*_path_parameters(rule, call), *_query_parameters(call)],
            "responses": {
                "200": {"description": "the answer", "content": _answer_content(call)},
                "4XX": _PROBLEM,
                "5XX": _PROBLEM,
            },
        }
        if call.content:
            operation["requestBody"] = {"content": call.content, "required": call.needs_body}
        yield method.lower(), operation


def _operation_id(rule: Rule) -> str:
    """Name a rule by its last words and what its path names: `predict_model_version`."""
    verb = rule.rule.rpartition(">")[2].strip("/:") or rule.endpoint.rpartition(".")[2]
    return "_".join([re.sub(r"\W", "_", verb), *sorted(rule.arguments)])


def _path_parameters(rule: Rule, call: Call) -> Iterator[dict[str, Any]]:
    known: dict[str, dict[str, Any]] = {
        "model": {"schema": _SEGMENT, "example": call.model},
        "version": {
            "schema": {"type": "integer", "format": "int64", "minimum": 0, "maximum": 2**63 - 1},
            "example": 1,
        },
        "label": {"schema": _SEGMENT, "example": "stable"},
    }
    for name in _CONVERTER.findall(rule.rule):
        yield {"name": name, "in": "path", "required": True, **known[name]}


def _query_parameters(call: Call) -> Iterator[dict[str, Any]]:
    if call.parameters is None:
        return
    for name, described in call.parameters.model_json_schema()["properties"].items():
        schema = _without_null(described)
        if schema.get("items", {}).get("type") == "array":
            continue  # Lists of lists have no form in a query.
        yield {
            "name": name,
            "in": "query",
            "description": described["description"],
            "schema": schema,
            "style": "form",
            "explode": False,
        }


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Take the null out of what may be missing: in a query, missing is all it can be."""
    [kind] = [each for each in schema.get("anyOf", [schema]) if each.get("type") != "null"]
    rest = {key: schema[key] for key in schema.keys() - {"anyOf", "default", "description"}}
    default = {} if schema.get("default") is None else {"default": schema["default"]}
    return {**kind, **rest, **default}


def _answer_content(call: Call) -> dict[str, Any]:
    return {media_type: _content(media_type, of) for media_type, of in call.answers.items()}


def _content(media_type: str, answer: Answer) -> dict[str, Any]:
    if answer is None:
        if media_type.startswith("text/"):
            return {"schema": {"type": "string"}}
        return {} if media_type.endswith("json") else {"schema": BINARY}
    models = answer if isinstance(answer, tuple) else (answer,)
    references = [{"$ref": REFERENCE.format(model=model.__name__)} for model in models]
    return {"schema": references[0] if len(references) == 1 else {"anyOf": references}}


def _schemas() -> dict[str, Any]:
    models: set[type[BaseModel]] = {Problem, InferRequest}
    for call in CALLS.values():
        for answer in call.answers.values():
            models.update(answer if isinstance(answer, tuple) else (answer,) if answer else ())
    ordered = sorted(models, key=lambda model: model.__name__)
    _, schemas = models_json_schema(
        [(model, "validation") for model in ordered], ref_template=REFERENCE
    )
    definitions: dict[str, Any] = schemas["$defs"]
    return definitions


def _security_schemes() -> dict[str, Any]:
    return {
        "bearer": {"type": "http", "scheme": "bearer"},
        "key": {"type": "apiKey", "in": "header", "name": KEY_HEADER},
    }
