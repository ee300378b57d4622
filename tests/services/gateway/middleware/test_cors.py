from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from services.gateway.app import create_app
from tests.services.gateway.images import PNG

PAGE = "https://studio.test"


@pytest.fixture
def shared(settings, model_server):
    def make(*origins: str) -> FlaskClient:
        changed = settings.model_copy(update={"cors_origins": origins})
        return create_app(changed, model_server).test_client()

    return make


def test_pages_of_other_origins_may_not_read_answers_by_default(client):
    for response in (
        client.get("/v1/models", headers={"Origin": PAGE}),
        client.options("/v1/models", headers={"Origin": PAGE}),
    ):
        assert not [name for name, _ in response.headers if name.startswith("Access-Control")]


def test_a_page_of_an_allowed_origin_may(shared):
    client = shared(PAGE)
    response = client.post("/v1/models/classifier:predict", data=PNG, headers={"Origin": PAGE})
    assert response.status_code == 200
    assert response.headers["Access-Control-Allow-Origin"] == PAGE
    assert "X-Request-Id" in response.headers["Access-Control-Expose-Headers"]
    assert "Origin" in response.headers["Vary"]


def test_a_preflight_is_answered_with_what_is_allowed(shared):
    headers = {"Origin": PAGE, "Access-Control-Request-Method": "POST"}
    response = shared(PAGE).options("/v1/models/classifier:predict", headers=headers)
    assert response.status_code == 200
    assert response.headers["Access-Control-Allow-Methods"] == "GET, POST"
    assert "Content-Type" in response.headers["Access-Control-Allow-Headers"]
    assert int(response.headers["Access-Control-Max-Age"]) > 0


@pytest.mark.parametrize("origin", ["https://other.test", "null", f"{PAGE}.evil.test"])
def test_any_other_origin_may_not(shared, origin):
    response = shared(PAGE).get("/v1/models", headers={"Origin": origin})
    assert "Access-Control-Allow-Origin" not in response.headers
    assert "Origin" in response.headers["Vary"]


def test_all_origins_may_if_told_so(shared):
    response = shared("*").get("/v1/models", headers={"Origin": PAGE})
    assert response.headers["Access-Control-Allow-Origin"] == PAGE
    assert "Access-Control-Allow-Credentials" not in response.headers
