from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from services.gateway.app import create_app
from services.gateway.middleware.rate_limit import MAX_COUNTERS, BoundedMemoryStorage
from services.gateway.request.probe_paths import PROBE_PATHS
from services.gateway.settings import SetupError

KEY = "0123456789abcdef"


@pytest.fixture
def limited(settings, model_server) -> Callable[..., FlaskClient]:
    def make(limit: str = "2/hour", **changes: object) -> FlaskClient:
        changed = settings.model_copy(update={"rate_limit": limit, **changes})
        return create_app(changed, model_server).test_client()

    return make


@pytest.mark.parametrize("path", ["/nope", "/v1/models/x:nope", "/", "/docs", "/static/docs.js"])
def test_every_path_counts(limited, path):
    client = limited()
    for _ in range(2):
        client.get(path).close()
    assert client.get(path).status_code == 429
    assert client.get("/v1/models").status_code == 429


@pytest.mark.parametrize("path", sorted(PROBE_PATHS))
def test_probes_and_metrics_do_not_count(limited, path):
    client = limited()
    assert [client.get(path).status_code for _ in range(3)] == [200] * 3
    assert client.get("/v1/models").status_code == 200


def test_other_methods_count(limited):
    client = limited()
    for method in ("OPTIONS", "DELETE"):
        client.open("/v1/models", method=method)
    assert client.get("/v1/models").status_code == 429


def test_rejected_keys_count_for_the_address(limited, tmp_path):
    keys = tmp_path / "keys"
    keys.write_text(f"alice:{KEY}")
    client = limited(api_keys_file=keys)
    guesses = [
        client.get("/v1/models", headers={"X-API-Key": f"guess{number}"}).status_code
        for number in range(3)
    ]
    assert guesses == [401, 401, 429]
    assert client.get("/v1/models", headers={"X-API-Key": KEY}).status_code == 200


def test_a_limit_of_another_form_is_explained(limited):
    with pytest.raises(SetupError, match=r"'often'.*100/second"):
        limited("often")


def test_counters_of_many_clients_do_not_fill_the_memory():
    storage = BoundedMemoryStorage()
    for number in range(MAX_COUNTERS + 500):
        storage.incr(str(number), 3600)
    assert storage.incr("0", 3600) == 1
    assert storage.incr(str(MAX_COUNTERS + 499), 3600) == 2
    for kept in (storage.storage, storage.expirations, storage.locks):
        assert len(kept) <= MAX_COUNTERS
