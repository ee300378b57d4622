from __future__ import annotations

import io

import numpy as np
import pytest
from pydantic import BaseModel, ConfigDict

from services.gateway.api.body import FilesBody, JsonBody, read_body
from services.gateway.app import create_app
from services.gateway.codecs.image_decoder import ImageFile
from services.gateway.request.errors import InvalidRequest
from tests.services.gateway.images import PNG
from tests.services.gateway.problems import assert_problem

MULTIPART = "multipart/form-data"
MAX_VALUES = 10_000


class Parameters(BaseModel):
    model_config = ConfigDict(extra="forbid")

    number: int = 0


def read(app, **request: object) -> tuple[JsonBody | FilesBody, Parameters]:
    with app.test_request_context(method="POST", **request):
        body = read_body(Parameters, MAX_VALUES)
        return body, body.parameters


def test_files_come_in_order_with_their_names(app):
    files = [(io.BytesIO(PNG), "a.png"), (io.BytesIO(b"x"), "b.png")]
    body, parameters = read(app, data={"images": files, "number": "3"})
    assert body.files == [ImageFile("a.png", PNG), ImageFile("b.png", b"x")]
    assert parameters.number == 3


def test_members_beside_the_envelope_are_parameters(app):
    body, parameters = read(app, json={"instances": [1], "number": 4})
    assert body.document == {"instances": [1], "number": 4}
    assert parameters.number == 4


def test_tensors_of_numbers_come_as_arrays_and_parameters_as_they_are(app):
    numbers = [[0.5] * 100] * 10
    body, _ = read(app, json={"instances": numbers, "number": 4})
    assert isinstance(body.document["instances"], np.ndarray)
    assert body.document["instances"].tolist() == numbers


def test_other_numbers_stay_lists(app):
    class Latent(BaseModel):
        latent: list[list[float]] = []

    numbers = [[0.5] * 100] * 10
    with app.test_request_context(method="POST", json={"latent": numbers}):
        body = read_body(Latent, MAX_VALUES)
    assert body == JsonBody({"latent": numbers}, Latent(latent=numbers))


def test_json_of_another_format_has_no_parameters(app):
    with app.test_request_context(method="POST", json={"instances": [1], "number": 4}):
        body = read_body(Parameters, MAX_VALUES, is_pure=lambda document: "inputs" not in document)
    assert body == JsonBody({"instances": [1], "number": 4}, Parameters())
    query = {"number": 5}
    context = app.test_request_context(method="POST", json={"instances": [1]}, query_string=query)
    with context, pytest.raises(InvalidRequest, match=r"'number' = '5', expected none with this"):
        read_body(Parameters, MAX_VALUES, is_pure=lambda _document: True)


def test_the_query_beats_the_body(app):
    _, parameters = read(app, json={"inputs": 1, "number": 4}, query_string={"number": 5})
    assert parameters.number == 5


@pytest.mark.parametrize(
    "media_type", ["text/plain", "text/plain;charset=UTF-8", "", "application/json"]
)
@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf", b" \r\n", b"\xef\xbb\xbf "])
def test_json_is_read_as_text_and_after_a_byte_order_mark(app, media_type, start):
    body, _ = read(app, data=start + b'{"instances": [1]}', content_type=media_type)
    assert body.document == {"instances": [1]}


def test_text_that_is_not_json_is_refused(client):
    response = client.post("/v1/models/classifier:predict", data="boot", content_type="text/plain")
    assert_problem(response, 415, "'text/plain'", "application/json")


def test_raw_bytes_are_no_form(app):
    body, parameters = read(app, data=PNG, content_type="application/x-www-form-urlencoded")
    assert body.files == [ImageFile(None, PNG)]
    assert parameters.number == 0


def test_a_call_that_needs_no_file_takes_nothing_or_a_form_of_parameters(app):
    sent = [{}, {"data": {"number": "3"}}, {"data": {"number": "3"}, "content_type": MULTIPART}]
    bodies = []
    for request in sent:
        with app.test_request_context(method="POST", **request):
            bodies.append(read_body(Parameters, MAX_VALUES, optional=True))
    assert bodies == [FilesBody([], Parameters()), *[FilesBody([], Parameters(number=3))] * 2]


def test_a_large_url_encoded_form_is_refused_before_it_is_parsed(client):
    form = b"count=" + b"%41" * 30_000
    url = "/v1/models/generator:generate"
    response = client.post(url, data=form, content_type="application/x-www-form-urlencoded")
    assert_problem(response, 413, f"{len(form)} bytes", "at most 65536", "multipart/form-data")


def test_a_url_encoded_form_that_is_not_text_is_refused(client):
    url = "/v1/models/generator:generate"
    for content in (PNG, b"count=1&\xff=1"):
        answer = client.post(url, data=content, content_type="application/x-www-form-urlencoded")
        assert_problem(answer, 400, "not UTF-8 text", "expected NAME=VALUE", "multipart/form-data")


@pytest.mark.parametrize(
    ("path", "document"),
    [
        ("/v1/models/half_plus_two:predict", {"instances": [1.0] * 101}),
        ("/v1/models/half_plus_two:predict", {"inputs": [[]] * 60}),
        ("/v1/models/generator:generate", {"latent": [[1.0] * 4] * 30}),
        ("/v1/models/examples:classify", {"examples": [{"x": 1.0}] * 60}),
        ("/v1/models/examples:regress", {"examples": [{"x": 1.0}] * 60}),
        (
            "/v2/models/half_plus_two/infer",
            {"inputs": [{"name": "x", "shape": [101], "datatype": "FP32", "data": [1] * 101}]},
        ),
    ],
)
def test_json_of_too_many_values_is_refused_before_it_is_parsed(
    settings, model_server, path, document
):
    few = create_app(settings.model_copy(update={"max_json_values": 100}), model_server)
    response = few.test_client().post(path, json=document)
    assert_problem(response, 413, "expected at most 100", "send fewer", "LECTERN_MAX_JSON_VALUES")


def test_json_of_as_many_values_as_may_be_is_read(settings, model_server):
    # An object, a key, a list and a hundred commas between the numbers.
    values = 5 + 2 + 2 + 100
    few = create_app(settings.model_copy(update={"max_json_values": values}), model_server)
    url = "/v1/models/half_plus_two:predict"
    assert few.test_client().post(url, json={"instances": [1.0] * 101}).status_code == 200


def test_a_field_without_a_name_is_an_unknown_parameter(app):
    field = b"--b\r\nContent-Disposition: form-data%b\r\n\r\nx\r\n"
    file = b'; name="f"; filename="a.png"'
    content = b"".join(field % head for head in (b"", b'; name="other"', file)) + b"--b--\r\n"
    request = {"data": content, "content_type": f"{MULTIPART}; boundary=b"}
    with pytest.raises(InvalidRequest, match=r"the parameter None = 'x', expected \['number'\]"):
        read(app, **request)
