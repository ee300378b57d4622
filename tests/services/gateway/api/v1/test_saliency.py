from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from services.gateway.codecs.overlays import overlay
from tests.fakes import WEIGHTS, classify
from tests.services.gateway.images import GREY, PNG
from tests.services.gateway.problems import assert_problem

SALIENCY = "/v1/models/classifier:saliency"
AS_JSON = {"Accept": "application/json"}

IMAGES = GREY.astype(np.float32)[np.newaxis, ..., np.newaxis]
TOP_CLASS = int(classify({"images": IMAGES})["class_index"][0])
OTHER_CLASS = (TOP_CLASS + 1) % 3


def attribution(class_index: int) -> np.ndarray:
    return WEIGHTS[:, class_index].reshape(28, 28)


def pixels(response) -> np.ndarray:
    assert response.status_code == 200, response.text
    assert response.mimetype == "image/png"
    return np.asarray(Image.open(io.BytesIO(response.data)))


@pytest.mark.parametrize("verb", ["saliency", "explain"])
@pytest.mark.parametrize("accept", [None, "*/*", "image/png", "image/png, application/json;q=0.5"])
def test_the_overlay_explains_the_top_class(client, verb, accept):
    headers = {"Accept": accept} if accept else {}
    response = client.post(f"/v1/models/classifier:{verb}", data=PNG, headers=headers)
    expected = np.asarray(overlay(GREY, attribution(TOP_CLASS)))
    np.testing.assert_array_equal(pixels(response), expected)


def test_json_holds_the_attribution(client):
    response = client.post(SALIENCY, data=PNG, headers=AS_JSON)
    assert response.json["model"] == {"name": "classifier", "version": "1"}
    assert response.json["method"] == "gradient"
    (explanation,) = response.json["explanations"]
    assert explanation["class_index"] == TOP_CLASS
    assert explanation["label"] == ["zero", "one", "two"][TOP_CLASS]
    np.testing.assert_allclose(explanation["attribution"], attribution(TOP_CLASS), rtol=1e-6)


@pytest.mark.parametrize("where", ["query", "form", "document"])
def test_the_class_can_be_chosen(client, where):
    parameters = {"class_index": OTHER_CLASS, "method": "gradient"}
    if where == "query":
        sent = {"query_string": parameters, "data": PNG}
    elif where == "form":
        sent = {"data": {"image": (io.BytesIO(PNG), "a.png"), **parameters}}
    else:
        sent = {"json": {"instances": IMAGES.tolist(), **parameters}}
    response = client.post(SALIENCY, headers=AS_JSON, **sent)
    (explanation,) = response.json["explanations"]
    assert explanation["class_index"] == OTHER_CLASS
    np.testing.assert_allclose(explanation["attribution"], attribution(OTHER_CLASS), rtol=1e-6)


def test_json_in_gives_an_overlay_too(client):
    response = client.post(SALIENCY, json={"inputs": IMAGES.tolist()})
    expected = np.asarray(overlay(GREY, attribution(TOP_CLASS)))
    np.testing.assert_array_equal(pixels(response), expected)


def test_many_images_become_one_sheet(client):
    files = [(io.BytesIO(PNG), f"{index}.png") for index in range(3)]
    sheet = pixels(client.post(SALIENCY, data={"images": files}))
    assert sheet.shape == (564, 564, 3)
    np.testing.assert_array_equal(sheet[:280, :280], sheet[284:, :280])
    assert sheet[284:, 284:].max() == 0


@pytest.mark.parametrize("class_index", [3, -2, 2**31, 2**70, "x", 1.5])
def test_a_class_out_of_range_is_explained(client, class_index):
    response = client.post(f"{SALIENCY}?class_index={class_index}", data=PNG)
    assert_problem(response, 400, "class_index", str(class_index))


def test_an_unknown_method_names_the_known_ones(client):
    response = client.post(f"{SALIENCY}?method=magic", data=PNG)
    assert_problem(response, 400, "'magic'", "['gradient']")


def test_a_model_without_saliency_names_the_tasks_it_has(client):
    response = client.post("/v1/models/half_plus_two:saliency", json={"instances": [1]})
    assert_problem(response, 400, "no task 'saliency'", "['predict']")


def test_a_client_that_takes_neither_form_is_told_so(client):
    response = client.post(SALIENCY, data=PNG, headers={"Accept": "text/html"})
    assert_problem(response, 406, "text/html", "image/png, application/json")


def test_instances_of_the_wrong_shape_are_explained(client):
    response = client.post(SALIENCY, json={"instances": [[[[1.0]]]]})
    assert_problem(response, 400, "[1, 1, 1, 1]", "float32[N, 28, 28, 1]")


def test_an_unknown_parameter_is_refused(client):
    response = client.post(SALIENCY, json={"instances": IMAGES.tolist(), "clas_index": 1})
    assert_problem(response, 400, "'clas_index'")
