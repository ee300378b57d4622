from __future__ import annotations

import io

import numpy as np
import pytest
from pydantic import BaseModel, ConfigDict

from services.gateway.api.body import (
    File,
    FilesBody,
    JsonBody,
    read_body,
    read_parameters,
)
from services.gateway.app import create_app
from services.gateway.codecs.image_decoder import ImageSpec
from services.gateway.request.deadline import start_deadline
from services.gateway.request.errors import ContentTooLarge, InvalidRequest, ModelServerProblem
from tests.services.gateway.images import PNG, encode
from tests.services.gateway.problems import assert_problem

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


def test_tensors_of_numbers_come_as_arrays_and_parameters_as_they_are(app):
    numbers = [[0.5] * 100] * 10
    body, _ = read(app, json={"instances": numbers, "number": 4})
    assert isinstance(body.document["instances"], np.ndarray)
    assert body.document["instances"].tolist() == numbers
    with app.test_request_context(method="POST", json={"latent": numbers}):
        assert read_body() == JsonBody({"latent": numbers})


def test_the_query_beats_the_body(app):
    _, parameters = read(app, json={"inputs": 1, "number": 4}, query_string={"number": 5})
    assert parameters.number == 5


def test_raw_bytes_are_no_form(app):
    body, parameters = read(app, data=PNG, content_type="application/x-www-form-urlencoded")
    assert body.files == [File(None, PNG)]
    assert parameters.number == 0


def decode(app, files: list[File], seconds: float = 5) -> np.ndarray:
    with app.test_request_context():
        start_deadline(seconds)
        return FilesBody(files, {}).decode(ANY_SIZE)


def test_images_of_a_model_that_takes_any_size_must_agree(app):
    sizes = [(2, 3), (4, 5)]
    files = [File(None, encode(np.zeros(size, np.uint8))) for size in sizes]
    assert decode(app, files[:1]).shape == (1, 2, 3, 1)
    with pytest.raises(InvalidRequest, match="one size"):
        decode(app, files)


def test_decoding_ends_with_the_requests_time(app):
    with pytest.raises(ModelServerProblem):
        decode(app, [File(None, PNG)], seconds=0)


def test_a_call_that_needs_no_file_takes_nothing_or_a_form_of_parameters(app):
    sent = [{}, {"data": {"number": "3"}}, {"data": {"number": "3"}, "content_type": MULTIPART}]
    bodies = []
    for request in sent:
        with app.test_request_context(method="POST", **request):
            bodies.append(read_body(optional=True))
    assert bodies == [FilesBody([], {}), *[FilesBody([], {"number": "3"})] * 2]


def test_a_large_url_encoded_form_is_refused_before_it_is_parsed(client):
    form = b"count=" + b"%41" * 30_000
    url = "/v1/models/generator:generate"
    response = client.post(url, data=form, content_type="application/x-www-form-urlencoded")
    assert_problem(response, 413, f"{len(form)} bytes", "at most 65536", "multipart/form-data")


def test_all_images_together_must_stay_under_the_limit_as_the_model_takes_them(
    settings, model_server
):
    app = create_app(settings.model_copy(update={"max_image_pixels": 1_600}), model_server)
    with pytest.raises(ContentTooLarge, match="3 images, which have more than 1600 pixels"):
        decode(app, [File(None, PNG)] * 3)


def test_all_images_together_must_stay_under_the_limit_as_they_are_sent(settings, model_server):
    app = create_app(settings.model_copy(update={"max_request_pixels": 1_600}), model_server)
    with pytest.raises(ContentTooLarge, match=r"third: .* 2352 pixels, expected at most 1600"):
        decode(app, [File(None, PNG), File(None, PNG), File("third", PNG)])


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
