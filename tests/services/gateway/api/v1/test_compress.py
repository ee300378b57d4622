from __future__ import annotations

import io

import numpy as np
import pytest

from services.gateway.codecs.code_container import MEDIA_TYPE, read_container
from tests.fakes import quadrant_means
from tests.services.gateway.images import GREY, PNG
from tests.services.gateway.problems import assert_problem

COMPRESS = "/v1/models/codec:compress"
CODE = quadrant_means(GREY[np.newaxis].astype(np.float32)).round()


@pytest.mark.parametrize("accept", [None, "*/*", MEDIA_TYPE, "application/*"])
def test_a_container_says_who_made_it(client, accept):
    response = client.post(COMPRESS, data=PNG, headers={"Accept": accept} if accept else {})
    assert response.mimetype == MEDIA_TYPE
    codes = read_container(response.data)
    assert (codes.model, codes.version, codes.image_shape) == ("codec", 1, (28, 28, 1))
    np.testing.assert_array_equal(codes.codes, CODE)


def test_many_images_go_in_one_container(client):
    files = [(io.BytesIO(PNG), f"{index}.png") for index in range(3)]
    codes = read_container(client.post(COMPRESS, data={"images": files}).data)
    np.testing.assert_array_equal(codes.codes, CODE.repeat(3, axis=0))


def test_json_holds_the_same(client):
    response = client.post(COMPRESS, data=PNG, headers={"Accept": "application/json"})
    assert response.json == {
        "model": {"name": "codec", "version": "1"},
        "image_shape": [28, 28, 1],
        "dtype": "uint8",
        "codes": CODE.tolist(),
    }


def test_the_image_can_be_inverted(client):
    codes = read_container(client.post(f"{COMPRESS}?invert=1", data=PNG).data)
    np.testing.assert_allclose(codes.codes, 255 - CODE, atol=1)


def test_a_client_that_takes_neither_form_is_told_so(client):
    response = client.post(COMPRESS, data=PNG, headers={"Accept": "image/png"})
    assert_problem(response, 406, MEDIA_TYPE)


def test_a_model_that_does_not_compress_names_the_tasks_it_has(client):
    response = client.post("/v1/models/classifier:compress", data=PNG)
    assert_problem(response, 400, "no task 'compress'", "['predict', 'saliency']")
