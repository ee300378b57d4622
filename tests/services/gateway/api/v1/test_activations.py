from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from services.gateway.app import create_app
from services.gateway.codecs.tiling import contact_sheet
from tests.services.gateway.images import GREY, PNG
from tests.services.gateway.problems import assert_problem

ACTIVATIONS = "/v1/models/layered:activations"
AS_JSON = {"Accept": "application/json"}
PIXELS = GREY.astype(np.float32)


def picture(response) -> np.ndarray:
    assert response.status_code == 200, response.text
    assert response.mimetype == "image/png"
    return np.asarray(Image.open(io.BytesIO(response.data)))


def test_without_a_layer_the_one_with_the_most_numbers_answers(client):
    response = client.post(ACTIVATIONS, data=PNG, headers=AS_JSON)
    assert response.json["layer"] == "conv"
    assert response.json["model"] == {"name": "layered", "version": "1"}
    (answer,) = response.json["activations"]
    np.testing.assert_array_equal(answer["activation"], np.stack([PIXELS, -PIXELS], axis=-1))


def test_the_picture_shows_every_channel(client):
    low, high = -PIXELS.max(), PIXELS.max()
    channels = [
        Image.fromarray(np.rint(255 * (signed - low) / (high - low)).astype(np.uint8))
        for signed in (PIXELS, -PIXELS)
    ]
    expected = np.asarray(contact_sheet(channels))
    np.testing.assert_array_equal(picture(client.post(ACTIVATIONS, data=PNG)), expected)


@pytest.mark.parametrize(
    ("layer", "shape"), [("conv", (28, 28, 2)), ("sequence", (28, 28)), ("dense", (5,))]
)
def test_any_layer_is_a_picture_or_numbers(client, layer, shape):
    url = f"{ACTIVATIONS}?layer={layer}"
    assert max(picture(client.post(url, data=PNG)).shape) >= 280
    (answer,) = client.post(url, data=PNG, headers=AS_JSON).json["activations"]
    assert np.shape(answer["activation"]) == shape


def test_a_model_computes_no_other_layer_than_the_one_asked_for(client, fake):
    client.post(f"{ACTIVATIONS}?layer=dense", data=PNG)
    assert list(fake.requests[-1].output_filter) == ["dense"]


def test_many_images_keep_their_names_and_their_order(client):
    names = ["a.png", "b.png"]
    files = [(io.BytesIO(PNG), name) for name in names]
    response = client.post(ACTIVATIONS, data={"images": files}, headers=AS_JSON)
    assert [answer["file"] for answer in response.json["activations"]] == names
    single = picture(client.post(ACTIVATIONS, data=PNG))
    files = [(io.BytesIO(PNG), name) for name in names]
    both = picture(client.post(ACTIVATIONS, data={"images": files}))
    np.testing.assert_array_equal(both[: single.shape[0], : single.shape[1]], single)


def test_the_image_can_be_inverted(client):
    url = f"{ACTIVATIONS}?layer=sequence&invert=true"
    (answer,) = client.post(url, data=PNG, headers=AS_JSON).json["activations"]
    np.testing.assert_array_equal(answer["activation"], 255 - PIXELS)


def test_an_unknown_layer_names_the_known_ones(client):
    response = client.post(f"{ACTIVATIONS}?layer=magic", data=PNG)
    assert_problem(response, 400, "'magic'", "'conv': 'float32[N, 28, 28, 2]'", "'dense'")


def test_a_model_without_activations_names_the_tasks_it_has(client):
    response = client.post("/v1/models/classifier:activations", data=PNG)
    assert_problem(response, 400, "no task 'activations'", "['predict', 'saliency']")


def test_too_many_images_are_refused(client):
    files = [(io.BytesIO(PNG), "a.png") for _ in range(65)]
    assert_problem(client.post(ACTIVATIONS, data={"images": files}), 413, "65", "at most 64")


def test_layers_of_too_many_numbers_are_refused(settings, model_server):
    # Of one image, the layer that is asked for has 28 x 28 x 2 = 1568.
    changed = settings.model_copy(update={"max_answer_numbers": 4_000})
    client = create_app(changed, model_server).test_client()
    for count, status in ((2, 200), (3, 413)):
        files = [(io.BytesIO(PNG), "a.png") for _ in range(count)]
        response = client.post(ACTIVATIONS, data={"images": files})
        assert response.status_code == status
    assert_problem(response, 413, "3 examples has 4704 numbers", "send fewer")
