from __future__ import annotations

import base64

import numpy as np
import pytest

from services.gateway.api.body import File, FilesBody, JsonBody
from services.gateway.api.image_inputs import ImageBatch, read_images
from services.gateway.request.deadline import start_deadline
from services.gateway.request.errors import InvalidRequest
from services.serving_api.protos import types_pb2
from services.serving_api.signatures import Signature, TensorSpec
from tests.services.gateway.images import GREY, PNG

SIGNATURE = Signature({"images": TensorSpec(types_pb2.DT_FLOAT, (None, 28, 28, 1))}, {}, "")
PIXELS = GREY.astype(np.float32)[np.newaxis, ..., np.newaxis]
ENCODED = {"b64": base64.b64encode(PNG).decode()}


def read(app, body: JsonBody | FilesBody, **options: object) -> ImageBatch:
    with app.test_request_context():
        start_deadline(5)
        return read_images(body, SIGNATURE, **options)


@pytest.mark.parametrize(
    ("body", "files"),
    [
        (FilesBody([File("a.png", PNG), File(None, PNG)], {}), ["a.png", None]),
        (JsonBody({"instances": [ENCODED, ENCODED]}), [None, None]),
        (JsonBody({"instances": PIXELS.tolist() * 2}), [None, None]),
        (JsonBody({"inputs": {"images": PIXELS.tolist() * 2}}), [None, None]),
    ],
)
@pytest.mark.parametrize("invert", [False, True])
def test_files_and_numbers_arrive_alike(app, body, files, invert):
    batch = read(app, body, invert=invert)
    assert batch.input_name == "images"
    assert batch.files == files
    expected = np.concatenate([PIXELS, PIXELS])
    np.testing.assert_array_equal(batch.images, 255 - expected if invert else expected)


@pytest.mark.parametrize(
    ("instances", "words"),
    [
        ([{"b64": "?"}], "standard base64"),
        ([ENCODED, 1], "every instance"),
        ([{"b64": 1}], "every instance"),
        ([{"b64": "aGVsbG8="}], "expected an image"),
    ],
)
def test_encoded_instances_that_are_none_are_explained(app, instances, words):
    with pytest.raises(InvalidRequest, match=words):
        read(app, JsonBody({"instances": instances}))
