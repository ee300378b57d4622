"""TensorFlow Serving's REST API, byte by byte where clients depend on it."""

from __future__ import annotations

import gzip
import json
import math
from typing import Any

import pytest
import requests

INFINITIES = [math.inf, -math.inf, math.inf]


def post(url: str, body: Any, **arguments: Any) -> requests.Response:
    content = body if isinstance(body, (str, bytes)) else json.dumps(body)
    content = content.encode() if isinstance(content, str) else content
    return requests.post(url, content, timeout=30, **arguments)


@pytest.mark.parametrize(
    ("path", "body", "answer"),
    [
        ("half_plus_two:predict", {"instances": [[1.0]]}, {"predictions": [[3.5]]}),
        ("half_plus_two/versions/1:predict", {"inputs": [[1.0]]}, {"outputs": [[2.5]]}),
        ("half_plus_two/labels/stable:predict", {"instances": [1, 2]}, {"predictions": [2.5, 3]}),
        (
            "half_plus_two_tf2:predict",
            {"instances": [{"x": [1]}]},
            {"predictions": [{"y": [2.5], "x_bytes": [{"b64": "MS4wMDAwMDA="}]}]},
        ),
        (
            "half_plus_two_tf2:predict",
            {"signature_name": "add", "instances": [{"a": 1.5, "b": 2}]},
            {"predictions": [3.5]},
        ),
        (
            "half_plus_two_tf2:predict",
            {"signature_name": "add", "inputs": {"a": [1.5], "b": [2], "ignored": 0}},
            {"outputs": [3.5]},
        ),
        (
            "half_plus_two/versions/1:classify",
            {"signature_name": "classify_x_to_y", "examples": [{"x": 2.0}, {"x": [4.0]}]},
            {"results": [[["2", 3.0]], [["4", 4.0]]]},
        ),
        (
            "half_plus_two/versions/1:regress",
            {
                "signature_name": "regress_x2_to_y3",
                "context": {"x2": 4.0},
                "examples": [{"x": 2.0}],
            },
            {"results": [5.0]},
        ),
        # 16777217 is rounded to 16777216; 1e39 becomes Infinity.
        ("half_plus_two:predict", {"instances": [16777217]}, {"predictions": [8388611.0]}),
        ("half_plus_two:predict", '{"instances": [1e39, -Inf, Inf]}', {"predictions": INFINITIES}),
        ("half_plus_two:predict", '\ufeff{"instances": [1]}', {"predictions": [3.5]}),
    ],
)
def test_answers(url: str, path: str, body: Any, answer: Any) -> None:
    response = post(f"{url}/{path}", body)
    assert response.status_code == 200, response.text
    assert response.headers["Content-Type"] == "application/json"
    assert response.json() == answer


@pytest.mark.parametrize(
    ("path", "body", "status", "message"),
    [
        ("half_plus_two:predict", "", 400, "JSON Parse error: The document is empty"),
        ("half_plus_two:predict", "{", 400, "JSON Parse error"),
        ("half_plus_two:predict", "[1]", 400, "Is not object"),
        ("half_plus_two:predict", {}, 400, "Missing 'inputs' or 'instances' key"),
        (
            "half_plus_two:predict",
            {"instances": [1], "inputs": [1]},
            400,
            "one of 'inputs' or 'instances' keys to exist",
        ),
        ("half_plus_two:predict", {"instances": []}, 400, "No values in 'instances' array"),
        ("half_plus_two:predict", {"instances": 1}, 400, "'instances' to be an list/array"),
        ("half_plus_two:predict", {"instances": ["x"]}, 400, "is not of expected type: float"),
        ("half_plus_two:predict", {"instances": [True, 2.5]}, 400, "not of expected type: float"),
        (
            "half_plus_two:predict",
            {"signature_name": 1, "instances": [1]},
            400,
            "'signature_name' key must be a string value",
        ),
        (
            "half_plus_two:predict",
            {"signature_name": "s", "instances": [1]},
            400,
            'Serving signature name: "s" not found in signature def',
        ),
        (
            "half_plus_two_tf2:predict",
            {"signature_name": "add", "instances": [{"a": 1}]},
            400,
            "keys must be equal to: a,b",
        ),
        (
            "half_plus_two_tf2:predict",
            {"signature_name": "add", "instances": [1]},
            400,
            "instances is a plain list, but expecting list of objects",
        ),
        (
            "half_plus_two_tf2:predict",
            {"signature_name": "add", "inputs": {"a": [1]}},
            400,
            "Missing named input: b in 'inputs' object.",
        ),
        (
            "half_plus_two_tf2:predict",
            {"signature_name": "scale", "inputs": {"x": [1]}},
            400,
            "Missing named input: factor in 'inputs' object.",
        ),
        ("nobody:predict", {"instances": [1]}, 404, "Servable not found for request: Latest"),
        (
            "half_plus_two/versions/7:predict",
            {"instances": [1]},
            404,
            "Servable not found for request: Specific(half_plus_two, 7)",
        ),
        (
            "half_plus_two/labels/none:predict",
            {"instances": [1]},
            400,
            "Unrecognized servable version label: none",
        ),
        ("half_plus_two:other", {}, 400, "Malformed request: POST /v1/models/half_plus_two:other"),
        ("half_plus_two:classify", {}, 400, "key 'examples' is expected and was not found"),
        ("half_plus_two:regress", {"examples": []}, 400, "'examples' value is an empty array"),
        (
            "half_plus_two:regress",
            {"examples": [{"x": [1, 2.5]}]},
            400,
            "Unexpected element type in feature: x expecting type: int64",
        ),
    ],
)
def test_refusals(url: str, path: str, body: Any, status: int, message: str) -> None:
    response = post(f"{url}/{path}", body)
    assert response.status_code == status
    assert message in response.json()["error"].replace("' object:", "' object.")


def test_a_whole_number_is_no_float_feature(url: str) -> None:
    body = {"signature_name": "regress_x_to_y", "examples": [{"x": 2}]}
    response = post(f"{url}/half_plus_two:regress", body)
    assert response.status_code == 400
    assert "int64" in response.json()["error"]


def test_status_and_metadata(url: str) -> None:
    [status] = requests.get(f"{url}/half_plus_two/versions/1", timeout=30).json()[
        "model_version_status"
    ]
    assert status == {
        "version": "1",
        "state": "AVAILABLE",
        "status": {"error_code": "OK", "error_message": ""},
    }
    metadata = requests.get(f"{url}/half_plus_two/metadata", timeout=30).json()
    assert metadata["model_spec"]["version"] == "2"
    signatures = metadata["metadata"]["signature_def"]["signature_def"]
    assert signatures["regress_x_to_y"]["method_name"] == "tensorflow/serving/regress"
    response = requests.get(f"{url}/nobody", timeout=30)
    assert response.status_code == 404
    assert response.json() == {"error": "Could not find any versions of model nobody"}


def test_paths_ignore_case_and_names_do_not(url: str) -> None:
    base = url.removesuffix("/v1/models")
    assert requests.get(f"{base}/V1/Models/half_plus_two", timeout=30).status_code == 200
    assert requests.get(f"{base}/v1/models/HALF_PLUS_TWO", timeout=30).status_code == 404


def test_special_numbers(url: str) -> None:
    body = '{"inputs": [[NaN], [Infinity], [-Infinity], [-1]]}'
    text = post(f"{url}/half_plus_two/versions/1:predict", body).text
    assert "".join(text.split()) == '{"outputs":[[NaN],[Infinity],[-Infinity],[1.5]]}'
    text = post(f"{url}/half_plus_two/versions/1:predict", {"instances": [2]}).text
    assert "".join(text.split()) == '{"predictions":[3.0]}'


def test_a_gzip_body(url: str) -> None:
    body = gzip.compress(b'{"instances": [2]}')
    headers = {"Content-Encoding": "gzip"}
    response = post(f"{url}/half_plus_two/versions/1:predict", body, headers=headers)
    assert response.json() == {"predictions": [3.0]}


@pytest.mark.parametrize(
    "content_type", ["text/plain;charset=UTF-8", "application/x-www-form-urlencoded", "image/png"]
)
def test_the_content_type_is_ignored(url: str, content_type: str) -> None:
    headers = {"Content-Type": content_type}
    response = post(f"{url}/half_plus_two:predict", {"instances": [1]}, headers=headers)
    assert response.json() == {"predictions": [3.5]}


def test_a_status_ignores_a_label(url: str) -> None:
    for path in ("half_plus_two", "half_plus_two/labels/ignored"):
        statuses = requests.get(f"{url}/{path}", timeout=30).json()["model_version_status"]
        assert {status["version"] for status in statuses} == {"1", "2"}


def test_cors(ours: None, url: str) -> None:
    headers = {"Origin": "http://example.org", "Access-Control-Request-Method": "POST"}
    response = requests.options(f"{url}/half_plus_two:predict", headers=headers, timeout=30)
    assert response.status_code == 200
    for answer in (response, requests.get(f"{url}/half_plus_two", timeout=30)):
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert answer.headers["Access-Control-Allow-Methods"] == "POST, GET"
        assert answer.headers["Access-Control-Allow-Headers"] == "Content-Type"


def test_metrics_have_tensorflow_servings_names(url: str, contract: Any) -> None:
    post(f"{url}/half_plus_two/versions/1:predict", {"instances": [2]})
    body = {"signature_name": "regress_x_to_y", "examples": [{"x": 2.0}]}
    post(f"{url}/half_plus_two/versions/1:regress", body)
    page = requests.get(f"http://{contract.rest}/monitoring/prometheus/metrics", timeout=30).text
    assert "# TYPE :tensorflow:serving:request_count counter" in page
    assert ':tensorflow:serving:request_count{model_name="half_plus_two",status="OK"}' in page
    latency = ':tensorflow:serving:request_latency_count{API="Predict",entrypoint="REST"'
    assert latency in page or latency.replace("{", '{model_name="half_plus_two",') in page
    assert ":tensorflow:serving:runtime_latency_bucket{" in page
    assert ":tensorflow:serving:request_example_counts_bucket{" in page
    assert ":tensorflow:serving:request_example_count_total{" in page


def test_a_refusal_is_counted_as_one(ours: None, url: str, contract: Any) -> None:
    assert post(f"{url}/half_plus_two:predict", {"instances": [["a"]]}).status_code == 400
    page = requests.get(f"http://{contract.rest}/monitoring/prometheus/metrics", timeout=30).text
    sample = ':tensorflow:serving:request_count{model_name="half_plus_two",status="%s"}'
    assert sample % "INVALID_ARGUMENT" in page
    assert sample % "INTERNAL" not in page


def test_metrics_by_version_and_signature(ours: None, url: str, contract: Any) -> None:
    body = {"signature_name": "regress_x_to_y", "examples": [{"x": 2.0}]}
    assert post(f"{url}/half_plus_two/versions/1:regress", body).status_code == 200
    page = requests.get(f"http://{contract.rest}/monitoring/prometheus/metrics", timeout=30).text
    labels = (
        'api="Regress",model="half_plus_two",signature="regress_x_to_y",status="OK",version="1"'
    )
    assert f"lectern_request_seconds_count{{{labels}}}" in page


def test_the_list_of_models(ours: None, url: str) -> None:
    listed = {model["name"]: model for model in requests.get(url, timeout=30).json()["models"]}
    assert listed.keys() == {"half_plus_two", "half_plus_two_tf2"}
    model = listed["half_plus_two"]
    assert model["version_labels"] == {"stable": "1"}
    assert [each["version"] for each in model["model_version_status"]] == ["2", "1"]
    assert model["problem"] == ""
