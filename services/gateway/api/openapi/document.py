"""Makes the OpenAPI document from what the routes declare.

Source: https://spec.openapis.org/oas/v3.1.0
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from flask import Flask
from pydantic import BaseModel, TypeAdapter
from werkzeug.routing import Rule

from services.gateway.api.calls import SAMPLE, Body, Call
from services.gateway.api.responses import JSON, PNG
from services.gateway.api.routing import Routes, Tag
from services.gateway.middleware.authentication import KEY_HEADER
from services.gateway.request.errors import ProblemDocument

Schemas = Mapping[Any, dict[str, Any]]
"""The schema of each type, or a reference to it."""

_REFERENCE = "#/components/schemas/{model}"
_CONVERTER = re.compile(r"<(?:\w+:)?(\w+)>")
_PROBLEM = {
    "description": "what was received, what was expected, how to fix it",
    "content": {
        "application/problem+json": {"schema": {"$ref": _REFERENCE.format(model="Problem")}}
    },
}
_SEGMENT = {"type": "string", "pattern": "^[^/:]+$"}
_TAGS = {
    Tag.TASKS: "What models do. `/versions/N` or `/labels/L` may follow the model everywhere.",
    Tag.MODELS: "What is served.",
    Tag.PROTOCOL: "The same models for clients of KServe and Triton.",
    Tag.OPERATIONS: "For orchestrators and Prometheus.",
    Tag.PAGES: "For people.",
}


def openapi_document(app: Flask) -> dict[str, Any]:
    """Describes every call of an application, except for the static files.

    Raises:
        KeyError: a route is not declared by `Routes.call`.
    """
    blueprints = [each for each in app.blueprints.values() if isinstance(each, Routes)]
    owners = {f"{routes.name}.{view}": routes for routes in blueprints for view in routes.calls}
    schemas, definitions = _schemas(call for routes in blueprints for call in routes.calls.values())
    paths: dict[str, dict[str, Any]] = {}
    for rule in app.url_map.iter_rules():
        if not rule.endpoint.endswith("static"):
            path = paths.setdefault(_CONVERTER.sub(r"{\1}", rule.rule), {})
            text = inspect.getdoc(app.view_functions[rule.endpoint]) or ""
            path.update(_operations(rule, owners[rule.endpoint], text, schemas))
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Lectern",
            "version": "1",
            "description": "Predict, explain, generate and compress, by any model that a "
            "TensorFlow Serving hosts.",
        },
        "tags": [{"name": tag, "description": text} for tag, text in _TAGS.items()],
        "paths": paths,
        "components": {"schemas": definitions, "securitySchemes": _security_schemes()},
        # Only where the gateway was given keys; the empty one says that none may be needed.
        "security": [{}, {"bearer": []}, {"key": []}],
    }


def _schemas(calls: Iterable[Call]) -> tuple[Schemas, dict[str, Any]]:
    """Returns the schema of each type of the calls, and the definitions that they refer to."""
    types: dict[Any, None] = {}
    for call in calls:
        types.update(dict.fromkeys(call.answers.values()))
        if call.body and not call.parameters:
            types.update(dict.fromkeys(call.body.content.values()))
    schemas, components = TypeAdapter.json_schemas(
        [(each, "validation", TypeAdapter(each)) for each in types], ref_template=_REFERENCE
    )
    problem = TypeAdapter(ProblemDocument).json_schema()
    return {of: schema for (of, _), schema in schemas.items()}, {
        "Problem": {**problem, "title": "Problem"},
        **components.get("$defs", {}),
    }


def _operations(
    rule: Rule, routes: Routes, text: str, schemas: Schemas
) -> Iterator[tuple[str, dict[str, Any]]]:
    call = routes.calls[rule.endpoint.rpartition(".")[2]]
    summary, _, description = text.partition("Raises:")[0].strip().partition("\n\n")
    answers = {media_type: {"schema": schemas[of]} for media_type, of in call.answers.items()}
    for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
        operation: dict[str, Any] = {
            "operationId": _operation_id(rule),
            "tags": [routes.tag],
            "summary": " ".join(summary.split()),
            "description": description,
            "parameters": [
                *_path_parameters(rule, routes.example_model),
                *_query_parameters(call.parameters),
            ],
            "responses": {
                "200": {"description": "the answer", "content": answers},
                "4XX": _PROBLEM,
                "5XX": _PROBLEM,
            },
        }
        if call.body:
            content = dict(_body_content(call.body, call.parameters, schemas))
            operation["requestBody"] = {"content": content, "required": call.body.required}
        yield method.lower(), operation


def _operation_id(rule: Rule) -> str:
    """Names a rule by its last words and what its path names: `predict_model_version`."""
    verb = rule.rule.rpartition(">")[2].strip("/:") or rule.endpoint.rpartition(".")[2]
    return "_".join([re.sub(r"\W", "_", verb), *sorted(rule.arguments)])


def _path_parameters(rule: Rule, example_model: str) -> Iterator[dict[str, Any]]:
    known: dict[str, dict[str, Any]] = {
        "model": {"schema": _SEGMENT, "example": example_model},
        "version": {
            "schema": {"type": "integer", "format": "int64", "minimum": 0, "maximum": 2**63 - 1},
            "example": 1,
        },
        "label": {"schema": _SEGMENT, "example": "stable"},
    }
    for name in _CONVERTER.findall(rule.rule):
        yield {"name": name, "in": "path", "required": True, **known[name]}


def _query_parameters(parameters: type[BaseModel] | None) -> Iterator[dict[str, Any]]:
    for name, described in _properties(parameters).items():
        schema = _query_schema(described)
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


def _properties(parameters: type[BaseModel] | None) -> dict[str, dict[str, Any]]:
    if parameters is None:
        return {}
    properties: dict[str, dict[str, Any]] = parameters.model_json_schema()["properties"]
    return properties


def _query_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """Returns the schema of a parameter in a query, where it has no null and only its first form.

    In a query null is the absence of the parameter; further forms, such as lists, are for JSON.
    """
    kind = next(each for each in schema.get("anyOf", [schema]) if each.get("type") != "null")
    rest = {key: schema[key] for key in schema.keys() - {"anyOf", "default", "description"}}
    default = {} if schema.get("default") is None else {"default": schema["default"]}
    return {**kind, **rest, **default}


def _body_content(
    body: Body, parameters: type[BaseModel] | None, schemas: Schemas
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Describes a body by media type; JSON and forms may hold the parameters too."""
    examples = {
        PNG: {"boot": {"externalValue": f"/static/{SAMPLE}"}},
        JSON: {name: {"value": value} for name, value in body.examples.items()},
    }
    for media_type, of in body.content.items():
        if parameters is None:
            schema = schemas[of]
        else:
            schema = TypeAdapter(of).json_schema()
            if of is not bytes:
                schema["properties"].update(_properties(parameters))
        shown = {"examples": examples[media_type]} if media_type in examples else {}
        yield media_type, {"schema": schema, **shown}


def _security_schemes() -> dict[str, Any]:
    return {
        "bearer": {"type": "http", "scheme": "bearer"},
        "key": {"type": "apiKey", "in": "header", "name": KEY_HEADER},
    }
