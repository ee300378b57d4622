from __future__ import annotations

import time

import pytest

from services.gateway.app import create_app
from tests.fakes import LOADING
from tests.processes import wait_until
from tests.services.gateway.problems import assert_problem


@pytest.mark.parametrize("path", ["/livez", "/startupz"])
def test_liveness_does_not_hang_on_the_model_server(client, fake, path):
    fake.stop()
    assert client.get(path).status_code == 200


def test_it_is_ready_when_every_model_is(client):
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response.json == {"status": "ready", "models": ["classifier", "half_plus_two"]}


def test_a_model_that_loads_makes_it_not_ready(client, fake):
    fake.models["half_plus_two"][1].state = LOADING
    assert_problem(client.get("/readyz"), 503, "half_plus_two: no version is available")


def test_a_model_that_is_unknown_makes_it_not_ready(client, fake):
    del fake.models["half_plus_two"]
    assert_problem(client.get("/readyz"), 503, "half_plus_two: the model server does not know it")


def test_without_the_model_server_it_is_not_ready_and_heals_within_seconds(client, fake):
    assert client.get("/readyz").status_code == 200
    fake.stop()
    wait_until(lambda: client.get("/readyz").status_code == 503, 5, "not ready")
    assert_problem(client.get("/readyz"), 503, "classifier, half_plus_two: the model server")
    fake.start()
    wait_until(lambda: client.get("/readyz").status_code == 200, 5, "ready again")
    assert client.post("/v1/models/half_plus_two:predict", json={"inputs": [2]}).json == {
        "outputs": [3.0]
    }


def test_a_model_server_that_hangs_makes_it_not_ready_before_a_probe_gives_up(client, fake):
    fake.delay = 3
    start = time.monotonic()
    assert_problem(client.get("/readyz"), 503, "did not answer")
    assert time.monotonic() - start < 2


def test_without_models_it_is_never_ready_and_says_why(settings, model_server):
    app = create_app(
        settings.model_copy(
            update={"models": (), "model_config_file": settings.model_config_file / "no"}
        ),
        model_server,
    )
    assert_problem(app.test_client().get("/readyz"), 503, "LECTERN_MODELS")


def test_metrics_are_prometheus_text_and_do_not_count_themselves(client):
    client.get("/metrics")
    response = client.get("/metrics")
    assert response.mimetype == "text/plain"
    assert "http_requests_total" in response.text
    assert 'route="/metrics"' not in response.text
