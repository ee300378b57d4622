"""The REST API over a real connection."""

from __future__ import annotations

import gzip
import json
import socket
import zlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests


@pytest.fixture(scope="module")
def url(served: Any) -> str:
    return f"{served.url}/v1/models/half_plus_two"


def post(url: str, body: object, **arguments: Any) -> requests.Response:
    return requests.post(url, json.dumps(body), timeout=20, **arguments)


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        (
            {"instances": [[1.0], [2.0]]},
            {"predictions": [{"y": [2.5], "negative": [-1]}, {"y": [3], "negative": [-2]}]},
        ),
        ({"inputs": [[1.0]]}, {"outputs": {"y": [[2.5]], "negative": [[-1]]}}),
        ({"inputs": {"x": [4]}}, {"outputs": {"y": [4], "negative": [-4]}}),
        (
            {"signature_name": "shout", "instances": ["a", {"b64": "Yg=="}]},
            {"predictions": ["A", "B"]},
        ),
    ],
)
@pytest.mark.parametrize("version", ["", "/versions/5", "/labels/stable"])
def test_predict(url: str, version: str, body: object, answer: object) -> None:
    response = post(f"{url}{version}:predict", body)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/json"
    assert response.json() == answer


def test_whole_floats_keep_their_point_and_nan_its_token(url: str) -> None:
    body = '{"inputs": {"x": [2, NaN, -Infinity]}}'
    response = requests.post(f"{url}:predict", body, timeout=20)
    outputs = response.text
    assert json.loads(outputs)["outputs"]["y"][0] == 3
    assert "3.0,NaN,-Infinity" in outputs


def test_a_gzip_body(url: str) -> None:
    body = gzip.compress(b'{"instances": [[1.0]]}')
    headers = {"Content-Encoding": "gzip"}
    response = requests.post(f"{url}:predict", body, headers=headers, timeout=20)
    assert response.json() == {"predictions": [{"y": [2.5], "negative": [-1]}]}


def test_a_body_that_is_not_the_gzip_it_says(url: str) -> None:
    headers = {"Content-Encoding": "gzip"}
    response = requests.post(f"{url}:predict", b"plain", headers=headers, timeout=20)
    assert response.status_code == 400
    assert "not gzip, although its Content-Encoding says so" in response.json()["error"]


def test_a_deflate_body(url: str) -> None:
    body = zlib.compress(b'{"instances": [[1.0]]}')
    headers = {"Content-Encoding": "deflate"}
    response = requests.post(f"{url}:predict", body, headers=headers, timeout=20)
    assert response.json() == {"predictions": [{"y": [2.5], "negative": [-1]}]}


def test_status(url: str) -> None:
    answer = {
        "model_version_status": [
            {
                "version": "5",
                "state": "AVAILABLE",
                "status": {"error_code": "OK", "error_message": ""},
            }
        ]
    }
    assert requests.get(url, timeout=20).json() == answer
    assert requests.get(f"{url}/versions/5", timeout=20).json() == answer


def test_metadata(url: str) -> None:
    metadata = requests.get(f"{url}/metadata", timeout=20).json()
    assert metadata["model_spec"] == {
        "name": "half_plus_two",
        "signature_name": "",
        "version": "5",
    }
    signature = metadata["metadata"]["signature_def"]["signature_def"]["serving_default"]
    assert signature["method_name"] == "tensorflow/serving/predict"
    assert signature["inputs"]["x"] == {
        "dtype": "DT_FLOAT",
        "tensor_shape": {
            "dim": [{"size": "-1", "name": ""}, {"size": "1", "name": ""}],
            "unknown_rank": False,
        },
        "name": signature["inputs"]["x"]["name"],
    }


@pytest.mark.parametrize(
    ("path", "body", "status", "message"),
    [
        ("half_plus_two:predict", {}, 400, "Missing 'inputs' or 'instances' key"),
        ("half_plus_two:predict", {"instances": ["a"]}, 400, "input 'x' holds strings"),
        (
            "half_plus_two:predict",
            {"signature_name": "matmul", "instances": [[1, 2, 3]]},
            400,
            'input "x" has the shape [1, 3], the signature says float32[N, 2]',
        ),
        (
            "half_plus_two:predict",
            {"signature_name": "nope", "instances": [1]},
            400,
            'Serving signature name: "nope" not found in signature def',
        ),
        (
            "half_plus_two/labels/canary:predict",
            {"instances": [1]},
            400,
            "Unrecognized servable version label: canary",
        ),
        (
            "nobody:predict",
            {"instances": [1]},
            404,
            "Servable not found for request: Latest(nobody)",
        ),
        (
            "half_plus_two/versions/7:predict",
            {"instances": [1]},
            404,
            "Servable not found for request: Specific(half_plus_two, 7)",
        ),
        ("half_plus_two:explain", {}, 400, "Malformed request: POST /v1/models/half_plus_two:exp"),
        ("half_plus_two:classify", {}, 400, "key 'examples' is expected and was not found"),
        ("half_plus_two:regress", {"examples": [{}]}, 400, "Expected one output Tensor."),
    ],
)
def test_a_wrong_request_is_told_so(
    served: Any, path: str, body: object, status: int, message: str
) -> None:
    response = post(f"{served.url}/v1/models/{path}", body)
    assert response.status_code == status
    assert message in response.json()["error"]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("nobody", "Could not find any versions of model nobody"),
        ("half_plus_two/versions/7", "Could not find version 7 of model half_plus_two"),
    ],
)
def test_the_status_of_what_is_not_there(served: Any, path: str, message: str) -> None:
    response = requests.get(f"{served.url}/v1/models/{path}", timeout=20)
    assert (response.status_code, response.json()) == (404, {"error": message})


@pytest.mark.parametrize("path", ["other", "v2/repository/index"])
def test_a_path_outside_the_api_is_no_json(served: Any, path: str) -> None:
    response = requests.post(f"{served.url}/{path}", timeout=20)
    assert (response.status_code, response.text) == (404, "Not Found")


def test_a_long_request_holds_up_no_other(url: str) -> None:
    slow = {"signature_name": "count", "instances": [100_000]}
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(post, f"{url}:predict", slow)
        assert requests.get(url, timeout=20).status_code == 200
        assert not waiting.done()
        assert waiting.result().json() == {"predictions": [100_000]}


def test_an_overlong_message_is_cut(url: str) -> None:
    response = post(f"{url}:predict", {"signature_name": "s" * 2000, "instances": [1]})
    error = response.json()["error"]
    assert response.status_code == 400
    assert len(error) == 1024 + len("...TRUNCATED")
    assert error.endswith("...TRUNCATED")


@pytest.mark.parametrize(
    "chunk",
    [
        b"-1\r\nx\r\n",
        b"1\nx\n0\n\n",
        b"9" * 20 + b"\r\nx",
        b"zz\r\n",
        b"1;" + b"a" * 100_000 + b"\r\nx\r\n0\r\n\r\n",
        b"1\r\nxx\r\n0\r\n\r\n",
        b"0\r\nno trailer\r\n\r\n",
    ],
)
def test_malformed_chunks_are_400(url: str, chunk: bytes) -> None:
    parts = urlsplit(url)
    head = f"POST {parts.path}:predict HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    with socket.create_connection((parts.hostname, parts.port), 5) as connection:
        connection.sendall(head.encode() + chunk)
        assert connection.recv(1000).startswith(b"HTTP/1.1 400 Bad Request\r\n")
