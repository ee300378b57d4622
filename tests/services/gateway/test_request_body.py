from __future__ import annotations

import io

import numpy as np
import pytest
from pydantic import BaseModel, ConfigDict

from services.gateway.deadline import start_deadline
from services.gateway.errors import ContentTooLarge, InvalidRequest, ModelServerProblem
from services.gateway.images import ImageSpec
from services.gateway.request_body import (
    File,
    FilesBody,
    JsonBody,
    read_body,
    read_parameters,
)
from tests.services.gateway.images import PNG, encode

MULTIPART = "multipart/form-data"
ANY_SIZE = ImageSpec(None, None, 1, np.dtype(np.float32), (1,))


class Parameters(BaseModel):
    model_config = ConfigDict(extra="forbid")

    number: int = 0


def read(app, **request: object) -> tuple[JsonBody | FilesBody, Parameters]:
    with app.test_request_context(method="POST", **request):
        body = read_body()
        return body, read_parameters(Parameters, body)


def test_files_come_in_order_with_their_names(app):
    files = [(io.BytesIO(PNG), "a.png"), (io.BytesIO(b"x"), "b.png")]
    body, parameters = read(app, data={"images": files, "number": "3"})
    assert body.files == [File("a.png", PNG), File("b.png", b"x")]
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
    assert body.files == [File(None, PNG)]
    assert parameters.number == 0


def test_images_of_a_model_that_takes_any_size_must_agree(app):
    sizes = [(2, 3), (4, 5)]
    files = [File(None, encode(np.zeros(size, np.uint8))) for size in sizes]
    with app.test_request_context():
        start_deadline(5)
        assert FilesBody(files[:1], {}).decode(ANY_SIZE, 100).shape == (1, 2, 3, 1)
        with pytest.raises(InvalidRequest, match="one size"):
            FilesBody(files, {}).decode(ANY_SIZE, 100)


def test_decoding_ends_with_the_requests_time(app):
    with app.test_request_context():
        start_deadline(0)
        with pytest.raises(ModelServerProblem):
            FilesBody([File(None, PNG)], {}).decode(ANY_SIZE, 1_000)


def test_a_call_that_needs_no_file_takes_nothing_or_a_form_of_parameters(app):
    sent = [{}, {"data": {"number": "3"}}, {"data": {"number": "3"}, "content_type": MULTIPART}]
    bodies = []
    for request in sent:
        with app.test_request_context(method="POST", **request):
            bodies.append(read_body(optional=True))
    assert bodies == [FilesBody([], {}), *[FilesBody([], {"number": "3"})] * 2]


def test_all_images_together_must_stay_under_the_limit(app):
    with app.test_request_context():
        start_deadline(5)
        with pytest.raises(ContentTooLarge, match="3 images of more than 1600 pixels in all"):
            FilesBody([File(None, PNG)] * 3, {}).decode(ANY_SIZE, 1_600)


def test_a_field_without_a_name_is_an_unknown_parameter(app):
    field = b"--b\r\nContent-Disposition: form-data%b\r\n\r\nx\r\n"
    file = b'; name="f"; filename="a.png"'
    content = b"".join(field % head for head in (b"", b'; name="other"', file)) + b"--b--\r\n"
    request = {"data": content, "content_type": f"{MULTIPART}; boundary=b"}
    with pytest.raises(InvalidRequest, match=r"the parameter None = 'x', expected \['number'\]"):
        read(app, **request)
