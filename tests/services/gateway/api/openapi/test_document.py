"""The document describes what the gateway does: every route is in it, every example works."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
from flask import Flask

from services.gateway.api.openapi.document import openapi_document
from tests.processes import ROOT

METHODS = {"get", "post"}
BINARY = {"type": "string", "format": "binary"}


@pytest.fixture(scope="module")
def document(app: Flask) -> dict[str, Any]:
    # As it goes over the wire.
    return json.loads(app.test_client().get("/openapi.json").data)


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method in METHODS & item.keys():
            yield path, method, item[method]


def test_every_route_is_described(app, document):
    described = {(path, method) for path, method, _ in operations(document)}
    for rule in app.url_map.iter_rules():
        if not rule.endpoint.endswith("static"):
            path = rule.rule.replace("<int64:", "<").replace("<", "{").replace(">", "}")
            for method in rule.methods - {"HEAD", "OPTIONS"}:
                assert (path, method.lower()) in described
                described.discard((path, method.lower()))
    assert described == set()


def test_a_route_without_a_description_is_noticed(app):
    bare = Flask("bare")
    bare.add_url_rule("/new", "new", lambda: "")
    with pytest.raises(KeyError, match="new"):
        openapi_document(bare)


def test_every_call_has_words_a_name_of_its_own_and_an_example(document):
    found = list(operations(document))
    names = [operation["operationId"] for _, _, operation in found]
    assert len(set(names)) == len(names)
    for path, method, operation in found:
        assert operation["summary"].startswith("Answers"), path
        for parameter in operation["parameters"]:
            assert "example" in parameter or parameter["description"]
        if method == "post":
            assert len(list(examples(operation))) > 0, path


def test_every_reference_leads_somewhere(document):
    references = set()

    def collect(value: Any) -> None:
        if isinstance(value, dict):
            references.update([value["$ref"]] if "$ref" in value else [])
            value = list(value.values())
        if isinstance(value, list):
            for item in value:
                collect(item)

    collect(document)
    names = {reference.removeprefix("#/components/schemas/") for reference in references}
    assert names
    assert names <= document["components"]["schemas"].keys()


def examples(operation: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Turn the examples of a body into requests; a form is made from the sample image."""
    for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
        for example in content.get("examples", {}).values():
            if "externalValue" in example:
                path = ROOT / "services/gateway" / example["externalValue"].removeprefix("/")
                yield {"data": path.read_bytes(), "content_type": media_type}
            else:
                yield {"json": example["value"]}
        files = content["schema"].get("properties", {}).get("files", {})
        if files.get("items") == BINARY and "image/png" in operation["requestBody"]["content"]:
            sample = ROOT / "services/gateway/static/samples/bag.png"
            yield {"data": {"files": [(io.BytesIO(sample.read_bytes()), "bag.png")]}}
    if not operation.get("requestBody", {}).get("required"):
        yield {}


def offers(request: dict[str, Any]) -> set[str]:
    """Return the media types that `:generate` has for images, or for text."""
    other = "text/plain" if "prompt" in request.get("json", {}) else "image/png"
    return {other, "application/json"}


def test_every_example_gives_what_is_documented(app, document):
    client = app.test_client()
    schemas = {"components": document["components"]}
    for path, method, operation in operations(document):
        values = {each["name"]: each.get("example") for each in operation["parameters"]}
        answers = operation["responses"]["200"]["content"]
        for media_type, content in answers.items():
            if media_type == "application/octet-stream":
                continue  # Not by `Accept`, but by what is asked for within the request.
            for request in examples(operation):
                accept = {"Accept": media_type}
                with client.open(
                    path.format(**values), method=method, headers=accept, **request
                ) as response:
                    if path.endswith(":generate") and media_type not in offers(request):
                        assert response.status_code == 406, (path, request, response.text)
                        continue
                    assert response.status_code == 200, (path, request, response.text)
                    assert response.mimetype == media_type, path
                    if response.is_json and "schema" in content:
                        schema = {**content["schema"], **schemas}
                        jsonschema_rs.validator_for(schema).validate(response.json)


def test_the_page_loads_nothing_from_elsewhere(app):
    client = app.test_client()
    with client.get("/docs") as response:
        page = response.text
    assert "//" not in page
    sources = [part.split('"')[0] for part in page.replace("href=", "src=").split('src="')[1:]]
    assert len(sources) == 4
    for source in sources:
        with client.get(f"/{source}") as response:
            assert response.status_code == 200
