from __future__ import annotations

import json
import struct
import threading
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tritonclient import http as triton
from tritonclient.utils import InferenceServerException
from werkzeug.serving import make_server

from services.serving_api.tensors import to_ndarray
from tests.fakes import LOADING, FakeSignature, FakeVersion, classify
from tests.services.gateway.problems import assert_problem

HALF = "/v2/models/half_plus_two"
FOUR = {"name": "x", "shape": [1], "datatype": "FP32", "data": [4]}
LENGTH = "Inference-Header-Content-Length"

ECHO = FakeVersion(
    {
        "serving_default": FakeSignature(
            lambda inputs: {"texts": inputs["texts"], "numbers": inputs["numbers"]},
            {"texts": (np.object_, (-1,)), "numbers": (np.float32, (-1, 2))},
            {"texts": (np.object_, (-1,)), "numbers": (np.float32, (-1, 2))},
        )
    }
)


SCALE = FakeVersion(
    {
        "serving_default": FakeSignature(
            lambda inputs: {"y": inputs["x"] * inputs["factor"]},
            {"x": (np.float32, (-1,)), "factor": (np.float32, ())},
            {"y": (np.float32, (-1,))},
            defaults={"factor": np.array(3, np.float32)},
        )
    }
)


@pytest.fixture
def connected(app) -> Iterator[triton.InferenceServerClient]:
    """Triton's own client, connected to the running application."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    client = triton.InferenceServerClient(f"127.0.0.1:{server.port}")
    yield client
    client.close()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("binary_input", [True, False])
@pytest.mark.parametrize("binary_output", [True, False])
def test_tritons_client_gets_predictions(connected, binary_input, binary_output):
    images = np.random.default_rng(0).uniform(0, 255, (3, 28, 28, 1)).astype(np.float32)
    tensor = triton.InferInput("images", list(images.shape), "FP32")
    tensor.set_data_from_numpy(images, binary_data=binary_input)
    wanted = [
        triton.InferRequestedOutput(name, binary_data=binary_output)
        for name in ("label", "probabilities")
    ]
    result = connected.infer("classifier", [tensor], outputs=wanted, request_id="mine")
    expected = classify({"images": images})
    np.testing.assert_allclose(
        result.as_numpy("probabilities"), expected["probabilities"], rtol=1e-6
    )
    labels = [
        label if isinstance(label, bytes) else label.encode() for label in result.as_numpy("label")
    ]
    assert labels == expected["label"].tolist()
    assert result.get_response()["id"] == "mine"
    assert result.get_response()["model_version"] == "1"
    assert [output["name"] for output in result.get_response()["outputs"]] == [
        "label",
        "probabilities",
    ]


def test_tritons_client_sends_and_gets_strings(connected, fake):
    fake.models["echo"] = {1: ECHO}
    texts = np.array([b"\x00\xff", "käse".encode()], np.object_)
    numbers = np.array([[1, 2], [3, 4]], np.float32)
    inputs = [
        triton.InferInput("texts", [2], "BYTES").set_data_from_numpy(texts),
        triton.InferInput("numbers", [2, 2], "FP32").set_data_from_numpy(numbers),
    ]
    result = connected.infer("echo", inputs)
    assert result.as_numpy("texts").tolist() == texts.tolist()
    np.testing.assert_array_equal(result.as_numpy("numbers"), numbers)


def test_tritons_client_gets_the_classes_of_the_highest_scores(connected):
    images = np.random.default_rng(0).uniform(0, 255, (3, 28, 28, 1)).astype(np.float32)
    tensor = triton.InferInput("images", list(images.shape), "FP32").set_data_from_numpy(images)
    wanted = [triton.InferRequestedOutput("probabilities", class_count=2)]
    classes = connected.infer("classifier", [tensor], outputs=wanted).as_numpy("probabilities")
    expected = classify({"images": images})
    assert classes.shape == (3, 2)
    for best, label, scores in zip(
        classes[:, 0], expected["label"], expected["probabilities"], strict=True
    ):
        assert best.decode() == f"{scores.max():f}:{scores.argmax()}:{label.decode()}"


def test_tritons_client_learns_what_there_is(connected):
    assert connected.is_server_live()
    assert connected.is_server_ready()
    assert connected.is_model_ready("classifier")
    assert connected.is_model_ready("classifier", "1")
    assert not connected.is_model_ready("nope")
    assert "binary_tensor_data" in connected.get_server_metadata()["extensions"]
    metadata = connected.get_model_metadata("classifier")
    assert metadata["platform"] == "tensorflow_savedmodel"
    assert metadata["versions"] == ["1"]
    assert metadata["inputs"] == [{"name": "images", "datatype": "FP32", "shape": [-1, 28, 28, 1]}]
    assert {"name": "label", "datatype": "BYTES", "shape": [-1]} in metadata["outputs"]


def test_tritons_client_reads_the_error(connected):
    tensor = triton.InferInput("x", [1], "FP32")
    tensor.set_data_from_numpy(np.zeros(1, np.float32))
    with pytest.raises(InferenceServerException, match=r"Latest\(nope\)"):
        connected.infer("nope", [tensor])


def test_plain_json_is_answered_in_plain_json(client):
    response = client.post(f"{HALF}/infer", json={"inputs": [FOUR]})
    assert response.mimetype == "application/json"
    assert response.json == {
        "model_name": "half_plus_two",
        "model_version": "1",
        "outputs": [{"name": "y", "datatype": "FP32", "shape": [1], "data": [4.0]}],
    }


def test_optional_members_may_be_null(client):
    tensor = {**FOUR, "parameters": None}
    request = {"id": None, "parameters": None, "inputs": [tensor], "outputs": None}
    answer = client.post(f"{HALF}/infer", json=request)
    assert [output["data"] for output in answer.json["outputs"]] == [[4.0]]
    parameters = {"binary_data_output": None, "signature_name": None}
    outputs = [{"name": "y", "parameters": {"binary_data": None}}]
    answer = client.post(
        f"{HALF}/infer", json={"inputs": [FOUR], "parameters": parameters, "outputs": outputs}
    )
    assert [output["data"] for output in answer.json["outputs"]] == [[4.0]]


@pytest.mark.parametrize("member", ["name", "shape", "datatype", "data"])
def test_a_member_that_must_be_there_may_not_be_null(client, member):
    answer = client.post(f"{HALF}/infer", json={"inputs": [{**FOUR, member: None}]})
    assert_problem(answer, 400, "no values" if member == "data" else f"inputs.0.{member}")


def test_a_parameter_in_the_query_is_refused(client):
    answer = client.post(f"{HALF}/infer?verbose=1", json={"inputs": [FOUR]})
    assert_problem(answer, 400, "'verbose' = '1'", "expected none")


@pytest.mark.parametrize("path", ["/v2", HALF, f"{HALF}/ready"])
def test_a_parameter_in_the_query_of_a_description_is_refused(client, path):
    assert_problem(client.get(f"{path}?verbose=1"), 400, "verbose")


def test_strings_may_be_base64_as_tensorflow_serving_reads_it(client, fake):
    fake.models["echo"] = {1: ECHO}
    values = ["aGk", {"b64": "aGk"}, {"b64": "a\nGk="}]
    texts = {"name": "texts", "shape": [3], "datatype": "BYTES", "data": values}
    numbers = {"name": "numbers", "shape": [3, 2], "datatype": "FP32", "data": [0] * 6}
    answer = client.post("/v2/models/echo/infer", json={"inputs": [texts, numbers]})
    # The model server's outputs have no order.
    outputs = {output["name"]: output["data"] for output in answer.json["outputs"]}
    assert outputs["texts"] == ["aGk", "hi", "hi"]


def test_a_version_and_a_signature_can_be_asked_for(client, fake):
    fake.models["classifier"][2] = fake.models["classifier"][1]
    request = {
        "parameters": {"signature_name": "class_labels"},
        "inputs": [{"name": "class_index", "shape": [2], "datatype": "INT32", "data": [2, 0]}],
    }
    response = client.post("/v2/models/classifier/versions/1/infer", json=request)
    assert response.json["model_version"] == "1"
    assert response.json["outputs"][0]["data"] == ["two", "zero"]


def test_what_is_not_finite_is_written_as_python_does(client):
    body = b'{"inputs": [{"name": "x", "shape": [2], "datatype": "FP32", "data": [NaN, Infinity]}]}'
    response = client.post(f"{HALF}/infer", data=body)
    assert b"[NaN,Infinity]" in response.data


def test_some_outputs_may_come_raw_and_others_not(client, fake):
    fake.models["echo"] = {1: ECHO}
    request = {
        "parameters": {"binary_data_output": True},
        "inputs": [
            {"name": "texts", "shape": [1], "datatype": "BYTES", "data": ["a"]},
            {"name": "numbers", "shape": [1, 2], "datatype": "FP32", "data": [1, 2]},
        ],
        "outputs": [{"name": "texts", "parameters": {"binary_data": False}}, {"name": "numbers"}],
    }
    response = client.post("/v2/models/echo/infer", json=request)
    length = int(response.headers[LENGTH])
    texts, numbers = json.loads(response.data[:length])["outputs"]
    assert texts["data"] == ["a"]
    assert numbers["parameters"] == {"binary_data_size": 8}
    assert struct.unpack("<2f", response.data[length:]) == (1, 2)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"inputs": []}, ["inputs", "at least 1"]),
        ({"inputs": [FOUR, FOUR]}, ["['x', 'x']", "['x']"]),
        ({"inputs": [{**FOUR, "name": "z"}]}, ["['z']", "['x']"]),
        ({"inputs": [{**FOUR, "datatype": "FP64"}]}, ["'FP64'", "'FP32'"]),
        ({"inputs": [{**FOUR, "shape": [2]}]}, ["1 values", "expected 2"]),
        ({"inputs": [{**FOUR, "shape": [1, 1]}]}, ["[1, 1]", "float32[N]"]),
        ({"inputs": [{**FOUR, "shape": [-1]}]}, ["inputs.0.shape.0"]),
        ({"inputs": [{**FOUR, "shape": [1] * 33}]}, ["inputs.0.shape"]),
        ({"inputs": [{**FOUR, "shape": ["1"]}]}, ["inputs.0.shape.0"]),
        ({"inputs": [{**FOUR, "data": ["a"]}]}, ["'x'", "float32"]),
        ({"inputs": [{**FOUR, "parameters": {"binary_data_size": 4}}]}, ["0 bytes", "expected 4"]),
        ({"inputs": [{"name": "x", "shape": [1], "datatype": "FP32"}]}, ["no values"]),
        ({"inputs": [5] * 1000}, ["inputs.0"]),
        ({"outputs": [{"name": "z"}]}, ["['z']", "['y']"]),
        (
            {"outputs": [{"name": "y", "parameters": {"classification": 0}}]},
            ["outputs.0.parameters.classification"],
        ),
        ({"id": 5}, ["id"]),
        ({"parameters": {"signature_name": "nope"}}, ['"nope" not found']),
    ],
)
def test_a_bad_request_is_explained(client, changes, words):
    response = client.post(f"{HALF}/infer", json={"inputs": [FOUR], **changes})
    assert_problem(response, 400, *words)


@pytest.mark.parametrize("length", ["-1", "x", "1000", "9" * 5000, "1.0", "²"])
def test_a_length_that_is_none_of_the_body_is_explained(client, length):
    response = client.post(f"{HALF}/infer", json={"inputs": [FOUR]}, headers={LENGTH: length})
    assert_problem(response, 400, LENGTH)


def test_bytes_that_belong_to_no_input_are_explained(client):
    document = json.dumps({"inputs": [FOUR]}).encode()
    headers = {LENGTH: str(len(document))}
    response = client.post(f"{HALF}/infer", data=document + b"more", headers=headers)
    assert_problem(response, 400, "4 bytes follow", "expected 0")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v2/health/ready", 200),
        ("/v2/models/half_plus_two/ready", 200),
        ("/v2/models/half_plus_two/versions/7/ready", 404),
        ("/v2/models/nope/ready", 404),
        ("/v2/models/nope", 404),
        ("/v2/models/half_plus_two/nope", 404),
    ],
)
def test_what_is_not_there_is_told(client, path, status):
    assert client.get(path).status_code == status


def test_a_model_that_loads_is_not_ready(client, fake):
    fake.models["half_plus_two"][1].state = LOADING
    assert_problem(client.get(f"{HALF}/ready"), 503, "half_plus_two")
    assert_problem(client.get("/v2/health/ready"), 503, "half_plus_two")


def test_the_model_sees_the_raw_bytes_as_they_came(client, fake):
    request = {"name": "x", "shape": [2], "datatype": "FP32"}
    document = json.dumps({"inputs": [{**request, "parameters": {"binary_data_size": 8}}]}).encode()
    response = client.post(
        f"{HALF}/infer",
        data=document + struct.pack("<2f", 1, 2),
        headers={LENGTH: str(len(document))},
    )
    assert response.json["outputs"][0]["data"] == [2.5, 3.0]
    assert to_ndarray(fake.requests[-1].inputs["x"]).tolist() == [1, 2]


def test_an_input_that_has_a_default_may_be_left_out(client, fake):
    fake.models["scale"] = {1: SCALE}
    factor = {"name": "factor", "shape": [], "datatype": "FP32", "data": [5]}
    for inputs, y in (([FOUR], 12), ([factor, FOUR], 20)):
        response = client.post("/v2/models/scale/infer", json={"inputs": inputs})
        assert response.json["outputs"][0]["data"] == [y]
    response = client.post("/v2/models/scale/infer", json={"inputs": [factor]})
    assert_problem(response, 400, "['factor'] may be left out")


@given(st.lists(st.tuples(st.integers(0), st.integers(0, 255)), max_size=8), st.integers(0, 200))
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_mutated_body_makes_the_gateway_fail(client, changes, length):
    tensor = {"name": "x", "shape": [1], "datatype": "FP32"}
    document = json.dumps({"inputs": [{**tensor, "parameters": {"binary_data_size": 4}}]}).encode()
    body = bytearray(document + struct.pack("<f", 4))
    for position, value in changes:
        body[position % len(body)] = value
    headers = {LENGTH: str(length if changes else len(document))}
    response = client.post(f"{HALF}/infer", data=bytes(body), headers=headers)
    assert response.status_code in ({200, 400} if changes else {200})
