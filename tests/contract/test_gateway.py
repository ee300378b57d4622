"""A client written for TensorFlow Serving's REST API works against the gateway unchanged."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.contract import test_rest as rest
from tests.processes import free_port, module, running, wait_until

# The gateway takes images too, and has more verbs; it says so in its own words.
OTHER_WORDS = [("half_plus_two:predict", ""), ("half_plus_two:other", {})]
REFUSALS = [
    refusal
    for refusal in rest.test_refusals.pytestmark[0].args[1]
    if (refusal[0], refusal[1]) not in OTHER_WORDS
]
SPLIT = {
    "name": "split",
    "arms": [{"model": "half_plus_two", "version": 1}, {"model": "half_plus_two"}],
    "shadow": {"model": "half_plus_two", "label": "stable", "share": 1, "timeout_seconds": 30},
}


@pytest.fixture(scope="session")
def url(contract: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    splits = tmp_path_factory.mktemp("gateway") / "splits.json"
    splits.write_text(json.dumps({"splits": [SPLIT]}))
    port = free_port()
    environment = {
        "LECTERN_PORT": str(port),
        "LECTERN_WORKERS": "1",
        "LECTERN_MODEL_SERVER": contract.grpc,
        "LECTERN_MODELS": "half_plus_two,half_plus_two_tf2",
        "LECTERN_SPLITS_FILE": str(splits),
    }
    address = f"http://127.0.0.1:{port}"
    with running(*module("services.gateway"), environment=environment) as gateway:
        gateway.wait_for_line("Booting worker")
        wait_until(lambda: is_ready(address), 60, "the gateway is ready")
        yield f"{address}/v1/models"


def is_ready(address: str) -> bool:
    try:
        return requests.get(f"{address}/readyz", timeout=30).ok
    except requests.ConnectionError:
        return False


test_answers = rest.test_answers
test_a_whole_number_is_no_float_feature = rest.test_a_whole_number_is_no_float_feature
test_special_numbers = rest.test_special_numbers
test_a_gzip_body = rest.test_a_gzip_body


@pytest.mark.parametrize(("path", "body", "status", "message"), REFUSALS)
def test_refusals(url: str, path: str, body: Any, status: int, message: str) -> None:
    rest.test_refusals(url, path, body, status, message)


@pytest.mark.parametrize(("path", "body"), OTHER_WORDS)
def test_other_words_are_an_error_to_the_client_all_the_same(
    url: str, path: str, body: Any
) -> None:
    response = rest.post(f"{url}/{path}", body)
    assert response.status_code in {400, 404}
    assert response.json()["error"]


def test_status_and_metadata(url: str) -> None:
    [status] = requests.get(f"{url}/half_plus_two/versions/1", timeout=30).json()[
        "model_version_status"
    ]
    assert (status["version"], status["state"]) == ("1", "AVAILABLE")
    metadata = requests.get(f"{url}/half_plus_two/metadata", timeout=30).json()
    signatures = metadata["metadata"]["signature_def"]["signature_def"]
    assert signatures["regress_x_to_y"]["method_name"] == "tensorflow/serving/regress"
    response = requests.get(f"{url}/nobody", timeout=30)
    assert response.status_code == 404
    assert "Could not find any versions of model nobody" in response.json()["error"]


def test_the_tasks_on_examples_are_listed(url: str) -> None:
    listed = {
        model["name"]: model["tasks"] for model in requests.get(url, timeout=30).json()["models"]
    }
    assert listed["half_plus_two"] == ["predict", "classify", "regress"]
    assert listed["half_plus_two_tf2"] == ["predict", "generate_text"]


def test_a_prompt_is_continued_alike_alone_and_among_others(url: str) -> None:
    def ask(**body: Any) -> list[dict[str, Any]]:
        response = requests.post(f"{url}/half_plus_two_tf2:generate", json=body, timeout=30)
        assert response.status_code == 200, response.text
        return response.json()["samples"]

    together = ask(prompt=["Größe", "and"], count=2, seed=-3)
    assert {len(each["text"]) for each in together} == {8}
    assert len({each["text"] for each in together}) == 4
    for each in together:
        assert ask(prompt=each["prompt"], seed=each["seed"]) == [each]
    assert ask(prompt="and", temperature=0) == [{"seed": 0, "prompt": "and", "text": "à" * 8}]


def test_an_input_that_has_a_default_may_be_left_out_in_v2(url: str) -> None:
    request = {
        "parameters": {"signature_name": "scale"},
        "inputs": [{"name": "x", "shape": [2], "datatype": "FP32", "data": [1, 2]}],
    }
    infer = f"{url.removesuffix('/v1/models')}/v2/models/half_plus_two_tf2/infer"
    response = requests.post(infer, json=request, timeout=30)
    assert response.status_code == 200, response.text
    assert response.json()["outputs"][0]["data"] == [3, 6]


def test_both_arms_of_a_split_answer_and_the_shadow_is_measured(url: str) -> None:
    answers = set()
    for number in range(40):
        headers = {"X-Request-Id": f"request-{number}"}
        body = {"instances": [1.0]}
        answer = requests.post(f"{url}/split:predict", json=body, headers=headers, timeout=30)
        assert answer.status_code == 200, answer.text
        answers.add(*answer.json()["predictions"])
    assert answers == {2.5, 3.5}
    assert len(requests.get(f"{url}/split", timeout=30).json()["split"]["arms"]) == 2
    arms = ("half_plus_two/versions/1", "live"), ("half_plus_two", "live")
    shadow = ("half_plus_two/labels/stable", "shadow")
    samples = [
        f'split_requests_total{{arm="{arm}",role="{role}",split="split",status="200"}}'
        for arm, role in (*arms, shadow)
    ]

    def is_measured() -> bool:
        metrics = requests.get(f"{url.removesuffix('/v1/models')}/metrics", timeout=30).text
        return all(sample in metrics for sample in samples)

    wait_until(is_measured, 30, "the arms and the shadow in the metrics")
