from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from services.gateway.app import create_app
from services.gateway.codecs.overlays import overlay
from tests.fakes import WEIGHTS, classify
from tests.processes import wait_until
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
    assert_problem(response, 400, "'magic'", "['gradient', 'occlusion', 'rise']")


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


PLAIN = "/v1/models/plain:saliency"


def explanation(response) -> dict:
    assert response.status_code == 200, response.text
    (explained,) = response.json["explanations"]
    return explained


def test_a_plain_export_is_explained_from_outside(client):
    response = client.post(PLAIN, data=PNG, headers=AS_JSON)
    assert response.json["model"] == {"name": "plain", "version": "1"}
    assert response.json["method"] == "occlusion"
    explained = explanation(response)
    assert (explained["class_index"], explained["label"]) == (TOP_CLASS, None)
    assert np.shape(explained["attribution"]) == (28, 28)
    assert "scores" not in explained


@pytest.mark.parametrize("method", ["occlusion", "rise"])
def test_the_models_own_classifier_is_explained_as_a_plain_export_of_it(client, method):
    answers = [
        client.post(f"{url}?method={method}&class_index={OTHER_CLASS}", data=PNG, headers=AS_JSON)
        for url in (SALIENCY, PLAIN)
    ]
    own, plain = map(explanation, answers)
    assert own["label"] == ["zero", "one", "two"][OTHER_CLASS]
    np.testing.assert_allclose(own["attribution"], plain["attribution"], rtol=1e-4, atol=1e-7)


def test_the_overlay_of_a_method_from_outside_shows_what_speaks_for_the_class(client):
    response = client.post(f"{PLAIN}?method=rise", data=PNG, headers=AS_JSON)
    heat = np.maximum(np.array(explanation(response)["attribution"], np.float32), 0)
    picture = client.post(f"{PLAIN}?method=rise", data=PNG)
    np.testing.assert_array_equal(pixels(picture), np.asarray(overlay(GREY, heat)))


def test_rise_is_determined_by_masks_and_seed(client):
    def rise(query: str) -> list:
        response = client.post(f"{PLAIN}?method=rise{query}", data=PNG, headers=AS_JSON)
        return explanation(response)["attribution"]

    assert rise("") == rise("&masks=256&seed=0")
    assert rise("&seed=1") != rise("")
    assert rise("&masks=32") != rise("")


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("method=rise&masks=15", ["masks", "15"]),
        ("method=rise&masks=8193", ["masks", "8193"]),
        ("method=rise&seed=-1", ["seed", "-1"]),
        ("method=occlusion&masks=20", ["'masks'", "'occlusion'", "method=rise"]),
        ("seed=1", ["'seed'", "'occlusion'", "method=rise"]),
        ("method=gradient", ["'gradient'", "['occlusion', 'rise']", "lectern export FILE"]),
        ("class_index=3", ["class_index is 3", "0 to 2"]),
    ],
)
def test_a_parameter_that_does_not_fit_is_explained(client, fake, query, words):
    assert_problem(client.post(f"{PLAIN}?{query}", data=PNG), 400, *words)
    assert fake.requests == []


@pytest.mark.parametrize(
    ("url", "method"), [(PLAIN, "occlusion"), (PLAIN, "rise"), (SALIENCY, "gradient")]
)
def test_every_map_can_be_scored(client, url, method):
    response = client.post(f"{url}?method={method}&score=true", data=PNG)
    assert response.mimetype == "application/json"
    scores = explanation(response)["scores"]
    probability = classify({"images": IMAGES})["probabilities"].max()
    assert scores["deletion_curve"][0] == pytest.approx(probability, rel=1e-5)
    assert scores["insertion_curve"][-1] == pytest.approx(probability, rel=1e-5)
    assert scores["deletion_curve"][-1] == pytest.approx(scores["insertion_curve"][0], rel=1e-3)
    for way in ("deletion", "insertion"):
        curve = scores[f"{way}_curve"]
        assert scores[way] == pytest.approx(np.mean([curve[:-1], curve[1:]]))
    if method != "gradient":  # That of a linear model is the same for every image.
        assert scores["deletion"] < scores["insertion"]


def test_scores_are_not_part_of_a_picture(client):
    response = client.post(f"{PLAIN}?score=true", data=PNG, headers={"Accept": "image/png"})
    assert_problem(response, 406, "image/png", "application/json")


def test_the_deadline_holds_for_methods_from_outside(client, fake):
    assert client.post(PLAIN, data=PNG).status_code == 200
    fake.delay = 0.2
    headers = {"Grpc-Timeout": "900m"}
    response = client.post(f"{PLAIN}?method=rise&masks=8192", data=PNG, headers=headers)
    assert_problem(response, 504, "8193 predictions", "0.9 s", "fewer masks")


def test_explanations_from_outside_are_expensive(settings, model_server, fake):
    changed = settings.model_copy(update={"threads": 2, "max_body_bytes": 2**20})
    client = create_app(changed, model_server).test_client()
    files = [(io.BytesIO(PNG), "a.png") for _ in range(65)]
    response = client.post(PLAIN, data={"files": files})
    assert_problem(response, 413, "65 examples", "at most 64")
    fake.delay = 0.5
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(client.post, PLAIN, data=PNG)
        wait_until(lambda: len(fake.requests) > 0, 10, "the first is explained")
        assert_problem(client.post(PLAIN, data=PNG), 503, "too many explanations")
        fake.release()
        assert waiting.result().status_code == 200
