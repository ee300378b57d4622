from __future__ import annotations

import io

import numpy as np
import pytest
from pydantic import BaseModel, ConfigDict

from services.gateway.deadline import start_deadline
from services.gateway.errors import InvalidRequest, ModelServerProblem
from services.gateway.images import ImageSpec
from services.gateway.request_body import (
    ImageFile,
    ImagesBody,
    JsonBody,
    read_body,
    read_parameters,
)
from tests.services.gateway.images import PNG, encode

ANY_SIZE = ImageSpec(None, None, 1, np.dtype(np.float32), (1,))


class Parameters(BaseModel):
    model_config = ConfigDict(extra="forbid")

    number: int = 0


def read(app, **request: object) -> tuple[JsonBody | ImagesBody, Parameters]:
    with app.test_request_context(method="POST", **request):
        body = read_body()
        return body, read_parameters(Parameters, body)


def test_files_come_in_order_with_their_names(app):
    files = [(io.BytesIO(PNG), "a.png"), (io.BytesIO(b"x"), "b.png")]
    body, parameters = read(app, data={"images": files, "number": "3"})
    assert body.files == [ImageFile("a.png", PNG), ImageFile("b.png", b"x")]
    assert parameters.number == 3


def test_members_beside_the_envelope_are_parameters(app):
    body, parameters = read(app, json={"instances": [1], "number": 4})
    assert body == JsonBody({"instances": [1], "number": 4})
    assert parameters.number == 4


def test_the_query_beats_the_body(app):
    _, parameters = read(app, json={"inputs": 1, "number": 4}, query_string={"number": 5})
    assert parameters.number == 5


def test_raw_bytes_are_no_form(app):
    body, parameters = read(app, data=PNG, content_type="application/x-www-form-urlencoded")
    assert body.files == [ImageFile(None, PNG)]
    assert parameters.number == 0


def test_images_of_a_model_that_takes_any_size_must_agree(app):
    sizes = [(2, 3), (4, 5)]
    files = [ImageFile(None, encode(np.zeros(size, np.uint8))) for size in sizes]
    with app.test_request_context():
        start_deadline(5)
        assert ImagesBody(files[:1], {}).decode(ANY_SIZE, 100).shape == (1, 2, 3, 1)
        with pytest.raises(InvalidRequest, match="one size"):
            ImagesBody(files, {}).decode(ANY_SIZE, 100)


def test_decoding_ends_with_the_requests_time(app):
    with app.test_request_context():
        start_deadline(0)
        with pytest.raises(ModelServerProblem):
            ImagesBody([ImageFile(None, PNG)], {}).decode(ANY_SIZE, 1_000)
