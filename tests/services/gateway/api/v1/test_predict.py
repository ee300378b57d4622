from __future__ import annotations

import base64
import io
import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.serving_api.tensors import to_ndarray
from tests.fakes import CLASSIFIER, LOADING, FakeSignature, FakeVersion, classify
from tests.services.gateway.images import GREY, PNG, encode
from tests.services.gateway.problems import assert_problem

PREDICT = "/v1/models/classifier:predict"
HALF = "/v1/models/half_plus_two:predict"

EXPECTED = classify({"images": GREY.astype(np.float32)[np.newaxis]})
TOP_CLASS = int(EXPECTED["class_index"][0])
LABELS = ["zero", "one", "two"]


def upload(*contents: bytes, **fields: object) -> dict[str, object]:
    files = [(io.BytesIO(content), f"{index}.png") for index, content in enumerate(contents)]
    return {"data": {"images": files, **fields}, "content_type": "multipart/form-data"}


def test_rows_are_answered_as_tensorflow_serving_does(client):
    response = client.post(HALF, json={"instances": [1.0, 2.0, 5]})
    assert response.status_code == 200
    assert response.mimetype == "application/json"
    assert response.json == {"predictions": [2.5, 3.0, 4.5]}


def test_columns_are_answered_as_tensorflow_serving_does(client):
    response = client.post(HALF, json={"signature_name": "serving_default", "inputs": {"x": [8]}})
    assert response.json == {"outputs": [6.0]}


def test_json_reaches_every_signature(client):
    instances = [{"class_index": 2}, {"class_index": 0}]
    response = client.post(PREDICT, json={"signature_name": "class_labels", "instances": instances})
    assert response.json == {"predictions": ["two", "zero"]}


@pytest.mark.parametrize("form", ["instances", "inputs"])
def test_words_reach_a_model_that_has_only_signatures_of_its_own(client, form):
    body = {"signature_name": "nearest_words", form: ["king", "water"]}
    words, similarity = [["queen", "prince"], ["river", "sea"]], [[0.75, 0.5]] * 2
    rows = [
        {"words": each, "similarity": other} for each, other in zip(words, similarity, strict=True)
    ]
    columns = {"words": words, "similarity": similarity}
    expected = {"predictions": rows} if form == "instances" else {"outputs": columns}
    assert client.post("/v1/models/words:predict", json=body).json == expected


@pytest.mark.parametrize(
    "content_type", [None, "application/json; charset=utf-8", "application/x-www-form-urlencoded"]
)
def test_json_is_known_by_its_looks_where_the_client_does_not_say(client, content_type):
    response = client.post(HALF, data=b' \n{"instances": [2]}', content_type=content_type)
    assert response.json == {"predictions": [3.0]}


@pytest.mark.parametrize(
    "content_type",
    ["image/png", "image/x", None, "application/octet-stream", "application/x-www-form-urlencoded"],
)
def test_an_image_is_classified(client, content_type):
    response = client.post(PREDICT, data=PNG, content_type=content_type)
    assert response.status_code == 200
    assert response.json["model"] == {"name": "classifier", "version": "1"}
    (prediction,) = response.json["predictions"]
    assert prediction["file"] is None
    assert prediction["class_index"] == TOP_CLASS
    assert prediction["label"] == LABELS[TOP_CLASS]
    assert math.isclose(prediction["probability"], EXPECTED["probabilities"].max(), rel_tol=1e-6)


def test_the_top_classes_come_with_their_labels_in_the_order_of_probability(client):
    response = client.post(f"{PREDICT}?top=2", data=PNG, content_type="image/png")
    (prediction,) = response.json["predictions"]
    order = EXPECTED["probabilities"][0].argsort()[::-1][:2].tolist()
    assert [entry["class_index"] for entry in prediction["top"]] == order
    assert [entry["label"] for entry in prediction["top"]] == [LABELS[index] for index in order]
    assert prediction["top"][0].items() <= prediction.items()


ENCODED = {"b64": base64.b64encode(PNG).decode()}


def test_images_in_json_are_answered_like_files(client):
    for body in ({"instances": [ENCODED, ENCODED], "top": 2}, {"instances": [ENCODED] * 2}):
        query = "" if "top" in body else "?top=2"
        answer = client.post(PREDICT + query, json=body)
        assert answer.json == client.post(f"{PREDICT}?top=2", **upload(PNG, PNG)).json | {
            "predictions": [{**each, "file": None} for each in answer.json["predictions"]]
        }
        assert answer.json["predictions"][0]["class_index"] == TOP_CLASS
        assert len(answer.json["predictions"][1]["top"]) == 2


def test_a_model_that_takes_strings_gets_the_files_themselves(client, fake):
    strings = {"text": (np.object_, (-1,))}
    lengths = FakeSignature(
        lambda inputs: {"length": np.array([*map(len, inputs["text"])], np.int32)},
        strings,
        {"length": (np.int32, (-1,))},
    )
    fake.models["lengths"] = {1: FakeVersion({"serving_default": lengths})}
    url = "/v1/models/lengths:predict"
    assert client.post(url, json={"instances": [ENCODED]}).json == {"predictions": [len(PNG)]}
    answer = client.post(f"{url}?top=2", json={"instances": [ENCODED]})
    assert_problem(answer, 400, "'top' = '2'", "expected none")
    named = {"signature_name": "lengths", "instances": [ENCODED]}
    fake.models["classifier"] = {1: FakeVersion({**CLASSIFIER, "lengths": lengths})}
    assert client.post(PREDICT, json=named).json == {"predictions": [len(PNG)]}


def test_images_in_json_for_a_model_that_takes_none_are_explained(client):
    answer = client.post(HALF, json={"instances": [ENCODED]})
    assert_problem(answer, 400, "received an image", "float32[N]")


def test_the_model_sees_the_pixels_as_they_are(client, fake):
    client.post(PREDICT, data=PNG, content_type="image/png")
    images = to_ndarray(fake.requests[-1].inputs["images"])
    np.testing.assert_array_equal(images, GREY.astype(np.float32)[np.newaxis, ..., np.newaxis])


def test_many_images_go_in_one_request(client, fake):
    contents = [encode(np.full((28, 28), value, np.uint8)) for value in (0, 100, 200)]
    response = client.post(PREDICT, **upload(*contents, top="1"))
    predictions = response.json["predictions"]
    assert [prediction["file"] for prediction in predictions] == ["0.png", "1.png", "2.png"]
    assert [len(prediction["top"]) for prediction in predictions] == [1, 1, 1]
    images = to_ndarray(fake.requests[-1].inputs["images"])
    assert images[:, 0, 0, 0].tolist() == [0, 100, 200]


def test_only_the_top_class_has_a_label_without_the_signature_that_names_all(client, fake):
    signatures = dict(fake.models["classifier"][1].signatures)
    del signatures["class_labels"]
    fake.models["classifier"] = {1: FakeVersion(signatures)}
    (prediction,) = client.post(PREDICT, data=PNG).json["predictions"]
    assert prediction["label"] == LABELS[TOP_CLASS]
    assert [entry["label"] for entry in prediction["top"][1:]] == [None, None]


def test_of_equally_probable_classes_the_models_own_choice_is_first_and_labelled(client, fake):
    def tie(inputs):
        rows = len(inputs["images"])
        return {
            "probabilities": np.full((rows, 3), 1 / 3, np.float32),
            "logits": np.zeros((rows, 3), np.float32),
            "class_index": np.full(rows, 2, np.int32),
            "label": np.full(rows, b"two", object),
        }

    served = fake.models["classifier"][1].signatures
    signatures = served | {"serving_default": replace(served["serving_default"], function=tie)}
    fake.models["classifier"] = {1: FakeVersion(signatures)}
    (prediction,) = client.post(f"{PREDICT}?top=3", data=PNG).json["predictions"]
    assert (prediction["class_index"], prediction["label"]) == (2, "two")
    assert [each["class_index"] for each in prediction["top"]] == [2, 0, 1]
    assert [each["label"] for each in prediction["top"]] == ["two", "zero", "one"]


def test_a_plain_export_is_answered_with_its_top_classes(client):
    response = client.post("/v1/models/plain:predict?top=2", data=PNG)
    assert response.json["model"] == {"name": "plain", "version": "1"}
    (prediction,) = response.json["predictions"]
    probability = EXPECTED["probabilities"].max()
    assert prediction["label"] is None
    assert prediction["class_index"] == TOP_CLASS
    assert prediction["probability"] == prediction["score"] == pytest.approx(probability)
    order = EXPECTED["probabilities"][0].argsort()[::-1][:2].tolist()
    assert [entry["class_index"] for entry in prediction["top"]] == order


def test_scores_that_are_no_probabilities_are_not_called_so(client, fake):
    logits = FakeSignature(
        lambda inputs: {"output_0": classify({"images": inputs["keras_tensor"]})["logits"]},
        {"keras_tensor": (np.float32, (-1, 28, 28, 1))},
        {"output_0": (np.float32, (-1, 3))},
    )
    fake.models["plain"] = {1: FakeVersion({"serving_default": logits})}
    (prediction,) = client.post("/v1/models/plain:predict", data=PNG).json["predictions"]
    assert prediction["class_index"] == TOP_CLASS
    assert prediction["probability"] is None
    assert [entry["score"] for entry in prediction["top"]] == pytest.approx(
        sorted(EXPECTED["logits"][0].tolist(), reverse=True)
    )


def test_a_model_that_does_not_classify_answers_an_image_with_its_outputs(client):
    content = encode(np.full((2, 2, 3), 55, np.uint8))
    response = client.post("/v1/models/inverter:predict", data=content, content_type="image/png")
    assert response.json == {"predictions": [[[[200.0] * 3] * 2] * 2]}


@pytest.mark.parametrize("path", ["versions/1", "versions/2", "labels/canary"])
def test_a_version_or_label_can_be_asked_for(client, fake, path):
    fake.models["classifier"][2] = fake.models["classifier"][1]
    fake.labels["canary"] = 1
    response = client.post(f"/v1/models/classifier/{path}:predict", data=PNG)
    assert response.json["model"]["version"] == ("2" if path == "versions/2" else "1")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"{", ["not JSON"]),
        (b'{"instances": [[1, 2], [3]]}', ["ragged"]),
        (b'{"instances": []}', ["non-empty"]),
        (b'{"instances": ["a"]}', ["'x'", "float32"]),
        (b'{"instances": [1], "inputs": [1]}', ["exactly one"]),
        (b"{}", ["'instances'", "'inputs'"]),
        (b'{"instances": [1], "signature_name": "s"}', ['"s" not found', "serving_default"]),
        (b'{"instances": [1], "signature_name": "\\ud800"}', ["surrogate"]),
        (b'{"instances": [{"y": 1}]}', ["'y'", "x"]),
        (b'{"\\ud800": 1}', ["surrogate"]),
        (b"[" * 5000, ["not JSON"]),
    ],
)
def test_bad_json_is_explained(client, body, words):
    assert_problem(client.post(HALF, data=body, content_type="application/json"), 400, *words)


def test_shapes_are_left_to_the_graph_as_in_tensorflow_serving(client):
    assert client.post(HALF, json={"instances": [[2, 4]]}).json == {"predictions": [[3.0, 4.0]]}


def test_a_shape_that_the_graph_refuses_is_explained(client):
    # The label of a class that is none: the fake's way of refusing.
    body = {"signature_name": "class_labels", "instances": [[7]]}
    response = client.post(PREDICT, json=body)
    assert_problem(response, 400, "'class_index'", "shape [1, 1]", "int32[N]")


def test_what_else_the_graph_refuses_is_told_as_it_says_it(client):
    response = client.post(PREDICT, json={"signature_name": "class_labels", "instances": [7]})
    assert_problem(response, 400, "out of bounds")


def test_an_overlong_message_is_cut(client):
    body = json.dumps({"signature_name": "s" * 5_000, "instances": [1]})
    response = client.post(HALF, data=body, content_type="application/json")
    assert response.status_code == 400
    assert len(response.json["detail"]) < 1100
    assert response.json["detail"].endswith("...TRUNCATED")


def test_an_empty_body_is_explained(client):
    assert_problem(client.post(PREDICT), 400, "empty", "expected an image")


def test_a_form_without_files_is_explained(client):
    assert_problem(client.post(PREDICT, data={"top": "1"}, **FORM), 400, "no file")


FORM = {"content_type": "multipart/form-data"}


def test_what_is_no_image_is_explained(client):
    response = client.post(PREDICT, data=b"hello", content_type="image/png")
    assert_problem(response, 400, "5 bytes", "b'hello'", "PNG, JPEG")


def test_the_bad_file_among_good_ones_is_named(client):
    assert_problem(client.post(PREDICT, **upload(PNG, b"hello", PNG)), 400, "1.png", "PNG")


def test_an_image_with_too_many_pixels_is_refused(client):
    large = encode(np.zeros((1_001, 1_000), np.uint8))
    response = client.post(PREDICT, **upload(PNG, large))
    assert_problem(response, 413, "1.png", "1000 x 1001", "at most 1000000")


@pytest.mark.parametrize("content_type", ["application/json", "multipart/form-data; boundary=b"])
def test_a_body_over_the_limit_is_refused(client, content_type):
    body = b"--b\r\n" + bytes(200_001)
    assert_problem(client.post(PREDICT, data=body, content_type=content_type), 413, "200000 bytes")


def test_an_unknown_type_of_body_is_refused(client):
    response = client.post(PREDICT, data=b"1,2", content_type="text/csv")
    assert_problem(response, 415, "'text/csv'", "image/png", "application/json")


@pytest.mark.parametrize("query", ["top=0", "top=x", "tpo=3"])
def test_a_bad_parameter_is_named(client, query):
    response = client.post(f"{PREDICT}?{query}", data=PNG)
    assert_problem(response, 400, *query.split("="))


@pytest.mark.parametrize("query", ["top=2", "invert=true", "signature_name=class_labels"])
def test_parameters_that_json_does_not_take_are_refused(client, fake, query):
    response = client.post(f"{HALF}?{query}", json={"instances": [1]})
    assert_problem(response, 400, *query.split("="), "expected none with this body")
    assert fake.requests == []


def test_a_model_that_takes_no_images_says_what_it_takes(client):
    response = client.post(HALF, data=PNG, content_type="image/png")
    assert_problem(response, 400, "'x': 'float32[N]'", "send JSON")


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/v1/models/nope:predict", 404, ["Latest(nope)"]),
        ("/v1/models/classifier/versions/7:predict", 404, ["Specific(classifier, 7)"]),
        ("/v1/models/classifier/labels/nope:predict", 400, ["label: nope"]),
        (f"/v1/models/classifier/versions/{2**63}:predict", 404, ["no call"]),
        ("/v1/models/classifier:frobnicate", 404, ["no call POST"]),
        ("/v1/models/%FF%00\n:predict", 404, []),
    ],
)
def test_an_unknown_model_version_label_or_verb_is_explained(client, path, status, words):
    assert_problem(client.post(path, data=PNG), status, *words)


def test_get_is_not_how_to_predict(client):
    response = client.get(PREDICT)
    assert_problem(response, 405, "expected OPTIONS, POST")
    assert "POST" in response.headers["Allow"]


def test_a_model_server_that_is_down_gives_503_at_once(client, fake):
    fake.stop()
    response = client.post(PREDICT, data=PNG)
    assert_problem(response, 503, "model server", "LECTERN_MODEL_SERVER")
    assert int(response.headers["Retry-After"]) > 0


@pytest.mark.parametrize("path", [PREDICT, "/v1/models/classifier/versions/1:predict"])
def test_a_model_that_still_loads_gives_503_and_when_to_come_back(client, fake, path):
    fake.models["classifier"][1].state = LOADING
    response = client.post(path, data=PNG)
    assert_problem(response, 503, "'classifier' is still loading")
    assert int(response.headers["Retry-After"]) > 0


@pytest.mark.parametrize("is_known", [True, False])
def test_a_model_server_that_restarts_gives_503_for_a_model_that_was_there(client, fake, is_known):
    assert client.post(PREDICT, data=PNG).status_code == 200
    if is_known:
        fake.models["classifier"][1].state = LOADING
    else:
        del fake.models["classifier"]
    assert_problem(client.post(PREDICT, data=PNG), 503, "'classifier' is still loading")


def test_a_model_that_becomes_available_before_its_state_is_asked_answers(
    client, loads_before_its_state_is_asked
):
    assert client.post(PREDICT, data=PNG).status_code == 200
    loads_before_its_state_is_asked("classifier", 1)
    assert client.post(PREDICT, data=PNG).status_code == 200


def test_an_error_inside_shows_nothing_of_it(client, monkeypatch):
    def fail(*_: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr("services.gateway.inference.pipeline.Pipeline.run", fail)
    response = client.post(PREDICT, data=PNG)
    assert_problem(response, 500, "request's id")
    assert "secret" not in response.text


@given(
    st.lists(st.tuples(st.integers(0), st.integers(0, 255)), max_size=10),
    st.sampled_from(["image/png", "application/json", "application/x-www-form-urlencoded"]),
    st.booleans(),
)
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_mutated_body_makes_the_gateway_fail(client, changes, content_type, image):
    body = bytearray(PNG if image else b'{"signature_name": "", "instances": [1, 2.5, 3e4]}')
    for position, value in changes:
        body[position % len(body)] = value
    response = client.post(PREDICT if image else HALF, data=bytes(body), content_type=content_type)
    assert response.status_code in {200, 400, 413}
