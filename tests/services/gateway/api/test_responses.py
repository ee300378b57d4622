from __future__ import annotations

import json

import numpy as np
import pytest

from services.gateway.api.responses import json_response, negotiate
from services.gateway.request.errors import NotAcceptable


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, "image/png"),
        ("*/*", "image/png"),
        ("image/*", "image/png"),
        ("application/json", "application/json"),
        ("image/png;q=0.1, application/json", "application/json"),
        ("text/html, */*;q=0.1", "image/png"),
    ],
)
def test_the_client_chooses(app, accept, expected):
    headers = {"Accept": accept} if accept else {}
    with app.test_request_context(headers=headers):
        assert negotiate("image/png", "application/json") == expected


def test_what_is_not_on_offer_is_explained(app):
    context = app.test_request_context(headers={"Accept": "text/html"})
    with context, pytest.raises(NotAcceptable, match="text/html"):
        negotiate("image/png")


def test_json_takes_arrays_and_numbers_of_numpy():
    document = {"a": np.array([[1.5]], np.float32), "b": np.float32(0.1), "c": "ü"}
    assert json.loads(json_response(document).data) == {"a": [[1.5]], "b": 0.1, "c": "ü"}
