"""Writes the reference of the HTTP API from the gateway's OpenAPI document, as plain Markdown."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from services.gateway.api.openapi.document import openapi_document
from services.gateway.app import create_app
from services.gateway.settings import Settings
from services.gateway.upstream.model_server import ModelServer

Json = Mapping[str, Any]
_MARKER = "<!-- http api -->"


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the document itself, for tools that read OpenAPI."""
    content = json.dumps(_document(), indent=1)
    files.append(File.generated(config, "reference/openapi.json", content=content))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Replaces the marker by a section for each call."""
    if _MARKER not in markdown:
        return markdown
    return markdown.replace(_MARKER, "\n\n".join(_sections(_document())))


def _document() -> dict[str, Any]:
    # The application connects to its model server at the first call, of which there is none here.
    return openapi_document(create_app(Settings(models=("cnn",)), ModelServer("127.0.0.1:8500")))


def _sections(document: Json) -> Iterator[str]:
    for tag in document["tags"]:
        yield f"## {tag['name'].capitalize()}\n\n{tag['description']}"
        for path, item in document["paths"].items():
            # The same call for a version or a label of the model has a path of its own.
            if "/{version}" in path or "/{label}" in path:
                continue
            for method, operation in item.items():
                if tag["name"] in operation["tags"]:
                    yield from _call(f"{method.upper()} {path}", operation)
    yield "## Types\n\nWhat the answers in JSON consist of."
    for name, schema in document["components"]["schemas"].items():
        if schema.get("properties"):
            yield f"### {name}\n\n{schema.get('description', '')}\n\n{_fields(schema)}"


def _call(title: str, operation: Json) -> Iterator[str]:
    # A heading's braces would be read as attributes.
    yield f"### `{title}`\n\n{operation['summary']}\n\n{operation['description']}".rstrip()
    query = [each for each in operation["parameters"] if each["in"] == "query"]
    if query:
        rows = [
            (
                f"`{each['name']}`",
                _type(each["schema"]),
                _default(each["schema"]),
                each["description"],
            )
            for each in query
        ]
        yield _table(("parameter", "type", "default", "meaning"), rows)
    if "requestBody" in operation:
        yield f"Request: {_media_types(operation['requestBody']['content'])}."
    yield f"Answer: {_media_types(operation['responses']['200']['content'])}."


def _media_types(content: Json) -> str:
    return ", ".join(f"`{name}`{_named_type(each['schema'])}" for name, each in content.items())


def _named_type(schema: Json) -> str:
    kind = _type(schema)
    return f" ({kind})" if kind.startswith("[") else ""


def _fields(schema: Json) -> str:
    required = schema.get("required", [])
    rows = [
        (
            f"`{name}`" + ("" if name in required else " (optional)"),
            _type(each),
            each.get("description", ""),
        )
        for name, each in schema["properties"].items()
    ]
    return _table(("member", "type", "meaning"), rows)


def _type(schema: Json) -> str:
    """Returns a schema in few words, with links to the types that it refers to."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(map(_type, schema["anyOf"])))
    if "enum" in schema or "const" in schema:
        return ", ".join(f"`{each}`" for each in schema.get("enum", [schema.get("const")]))
    kind = schema.get("type", "any JSON")
    if kind == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return f"{kind}{_range(schema)}"


def _range(schema: Json) -> str:
    lowest = schema.get("minimum")
    highest = schema.get("maximum")
    if lowest is None or highest is None:
        return "" if lowest is None else f", at least {lowest}"
    return f", {lowest} to {highest}"


def _default(schema: Json) -> str:
    return f"`{json.dumps(schema['default'])}`" if "default" in schema else ""


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    cells = [[" ".join(cell.split()).replace("|", "\\|") for cell in line] for line in lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in cells)
