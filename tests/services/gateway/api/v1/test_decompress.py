from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image

from services.gateway.codecs.code_container import MEDIA_TYPE, Codes, write_container
from tests.fakes import CODEC, FakeVersion, quadrants
from tests.services.gateway.images import PNG
from tests.services.gateway.problems import assert_problem

DECOMPRESS = "/v1/models/codec:decompress"
AS_JSON = {"Accept": "application/json"}
CODE = np.array([[0, 50, 100, 200]], np.uint8)
IMAGE = quadrants(CODE)[0, ..., 0]


def container(codes: np.ndarray = CODE, model: str = "codec", version: int = 1, **changes) -> bytes:
    shape = changes.get("image_shape", (28, 28, 1))
    return write_container(Codes(model, version, shape, codes))


def pixels(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)))


@pytest.mark.parametrize("content_type", [MEDIA_TYPE, None, "application/octet-stream"])
def test_one_image_comes_back_as_it_is(client, content_type):
    response = client.post(DECOMPRESS, data=container(), content_type=content_type)
    assert response.mimetype == "image/png"
    np.testing.assert_array_equal(pixels(response.data), IMAGE)


def test_several_images_come_as_one_picture(client):
    response = client.post(DECOMPRESS, data=container(CODE.repeat(4, axis=0)))
    sheet = pixels(response.data)
    assert sheet.shape == (60, 60)
    np.testing.assert_array_equal(sheet[32:, 32:], IMAGE)


def test_json_holds_every_image_apart_from_any_number_of_containers(client):
    contents = [container(), container(np.array([[1, 2, 3, 4], [5, 6, 7, 8]], np.uint8))]
    files = [(io.BytesIO(content), f"{index}.code") for index, content in enumerate(contents)]
    images = client.post(DECOMPRESS, data={"codes": files}, headers=AS_JSON).json["images"]
    assert [image["file"] for image in images] == ["0.code", "1.code", "1.code"]
    assert {image["model"]["version"] for image in images} == {"1"}
    found = [pixels(base64.b64decode(image["image"]["b64"])) for image in images]
    np.testing.assert_array_equal(found[0], IMAGE)
    np.testing.assert_array_equal(found[2], quadrants(np.array([[5, 6, 7, 8]]))[0, ..., 0])


def test_what_compress_answered_as_json_can_be_posted_back(client):
    document = client.post("/v1/models/codec:compress", data=PNG, headers=AS_JSON).json
    response = client.post(DECOMPRESS, json=document)
    np.testing.assert_array_equal(
        pixels(response.data), quadrants(np.array(document["codes"]))[0, ..., 0]
    )


def test_it_goes_back_to_the_version_that_made_the_codes(client, fake):
    fake.models["codec"][2] = FakeVersion(CODEC)
    for version in (1, 2):
        assert client.post(DECOMPRESS, data=container(version=version)).status_code == 200
        assert fake.requests[-1].model_spec.version.value == version


def test_a_version_that_is_gone_names_those_there_are(client, fake):
    fake.models["codec"] = {2: FakeVersion(CODEC), 5: FakeVersion(CODEC)}
    response = client.post(DECOMPRESS, data=container())
    assert_problem(response, 404, "version 1 of model 'codec'", "[2, 5]", "compress the images")


@pytest.mark.parametrize("path", ["versions/2", "labels/newest"])
def test_another_version_than_the_path_names_is_refused(client, fake, path):
    fake.models["codec"][2] = FakeVersion(CODEC)
    fake.labels["newest"] = 2
    url = f"/v1/models/codec/{path}:decompress"
    assert client.post(url, data=container(version=2)).status_code == 200
    assert_problem(client.post(url, data=container()), 400, "version 1", "/v1/models/codec:")


@pytest.mark.parametrize(
    ("content", "status", "words"),
    [
        (PNG, 400, ["expected what :compress answers"]),
        (container()[:-1], 400, ["damaged"]),
        (container(model="other"), 400, ["'other' made", "/v1/models/other:decompress"]),
        (container(np.zeros((1, 5), np.uint8)), 400, ["[1, 5]", "uint8[N, 4]"]),
        (container(np.zeros((1, 4), np.float32)), 400, ["codes of float32", "takes uint8"]),
        (
            container(image_shape=(14, 14, 1)),
            400,
            ["[14, 14, 1]", "makes images float32[N, 28, 28, 1]"],
        ),
        (container(image_shape=(2**16, 2**16)), 413, ["4294967296 pixels"]),
        (b"", 400, ["empty", MEDIA_TYPE]),
    ],
)
def test_what_cannot_be_restored_is_explained(client, content, status, words):
    assert_problem(client.post(DECOMPRESS, data=content), status, *words)


def test_the_bad_container_among_good_ones_is_named(client):
    files = [(io.BytesIO(container()), "a.code"), (io.BytesIO(PNG), "b.code")]
    assert_problem(client.post(DECOMPRESS, data={"codes": files}), 400, "b.code")


def test_another_type_of_body_names_the_container(client):
    response = client.post(DECOMPRESS, data=PNG, content_type="image/png")
    assert_problem(response, 415, "'image/png'", MEDIA_TYPE)


def test_a_model_that_does_not_decompress_names_the_tasks_it_has(client):
    content = container(model="classifier")
    response = client.post("/v1/models/classifier:decompress", data=content)
    assert_problem(response, 400, "no task 'decompress'", "['predict', 'saliency']")


def test_many_codes_in_json_come_back(client):
    codes = np.arange(1024).reshape(256, 4) % 256
    document = {
        "model": {"name": "codec", "version": "1"},
        "image_shape": [28, 28, 1],
        "dtype": "uint8",
        "codes": codes.tolist(),
    }
    images = client.post(DECOMPRESS, json=document, headers=AS_JSON).json["images"]
    assert len(images) == len(codes)
