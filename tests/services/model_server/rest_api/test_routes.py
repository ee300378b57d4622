"""Which paths mean what."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.model_server.errors import ServingError
from services.model_server.rest_api.routes import find_route


@pytest.mark.parametrize(
    ("method", "path", "call"),
    [
        ("POST", "/v1/models/m:predict", "predict"),
        ("POST", "/V1/Models/m:PREDICT", "predict"),
        ("POST", "/v1/models/m:classify", "classify"),
        ("POST", "/v1/models/m:regress", "regress"),
        ("GET", "/v1/models/m", "status"),
        ("GET", "/v1/models/m/metadata", "metadata"),
    ],
)
def test_calls(method: str, path: str, call: str) -> None:
    route = find_route(method, path)
    assert route.call == call
    assert route.spec.name == "m"
    assert route.spec.WhichOneof("version_choice") is None


def test_the_list_of_models() -> None:
    assert find_route("GET", "/v1/models").call == "models"


@pytest.mark.parametrize(
    ("path", "call", "name"),
    [
        ("/v2/repository/index", "index", ""),
        ("/v2/repository/models/a%20b/load", "load", "a b"),
        ("/v2/repository/models/m:1/unload", "unload", "m:1"),
    ],
)
def test_the_model_repository_extension(path: str, call: str, name: str) -> None:
    route = find_route("POST", path)
    assert (route.call, route.spec.name) == (call, name)
    for method, other in (("GET", path), ("POST", f"{path}/more")):
        with pytest.raises(ServingError, match="Malformed request"):
            find_route(method, other)


def test_versions_and_labels() -> None:
    assert find_route("POST", "/v1/models/m/versions/12:predict").spec.version.value == 12
    assert find_route("GET", "/v1/models/m/versions/0/metadata").spec.version.value == 0
    assert find_route("GET", "/v1/models/m/labels/a%20b").spec.version_label == "a b"


def test_names_are_decoded() -> None:
    assert find_route("GET", "/v1/models/a%2Fb%3Ac").spec.name == "a/b:c"


@pytest.mark.parametrize(
    ("method", "path", "message"),
    [
        ("GET", "/v1/models/versions/1", "Missing model name in request."),
        ("GET", "/v1/models/m:predict", "Malformed request: GET /v1/models/m:predict"),
        ("POST", "/v1/models/m", "Malformed request: POST /v1/models/m"),
        ("POST", "/v1/models/m:explain", "Malformed request: POST /v1/models/m:explain"),
        ("PUT", "/v1/models/m", "Malformed request: PUT /v1/models/m"),
        ("GET", "/v1/models/m/versions/x", "Malformed request: GET /v1/models/m/versions/x"),
        (
            "GET",
            "/v1/models/m/versions/9223372036854775808",
            "Failed to convert version: 9223372036854775808 to numeric.",
        ),
        (
            "POST",
            f"/v1/models/m/versions/{'9' * 5000}:predict",
            f"Failed to convert version: {'9' * 5000} to numeric.",
        ),
    ],
)
def test_what_is_no_call(method: str, path: str, message: str) -> None:
    with pytest.raises(ServingError) as caught:
        find_route(method, path)
    assert caught.value.message == message


@given(method=st.sampled_from(["GET", "POST"]), path=st.text())
def test_any_path_is_a_route_or_a_clear_error(method: str, path: str) -> None:
    with pytest.raises(ServingError, match=r"^(Malformed request: |Missing model name)"):
        find_route(method, "/v1/other" + path)
