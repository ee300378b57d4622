from __future__ import annotations

import hashlib
import hmac
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.app import create_app
from services.gateway.middleware.authentication import ApiKeys, read_api_keys
from services.gateway.settings import SetupError
from tests.services.gateway.problems import assert_problem

KEY = "0123456789abcdef"
OTHER = "fedcba9876543210"


@pytest.fixture
def key_file(tmp_path) -> Path:
    path = tmp_path / "keys"
    path.write_text(f"# who may call\n\nalice:{KEY}\n bob:{OTHER} \n")
    return path


@pytest.fixture
def guarded(settings, model_server, key_file):
    def make(**changes: object) -> FlaskClient:
        changed = settings.model_copy(update={"api_keys_file": key_file, **changes})
        return create_app(changed, model_server).test_client()

    return make


def test_a_key_belongs_to_its_client(key_file):
    keys = read_api_keys(key_file)
    assert (keys.owner(KEY), keys.owner(OTHER)) == ("alice", "bob")


@given(st.text() | st.sampled_from([KEY, KEY[:-1], KEY + "0", KEY.upper()]))
def test_no_other_text_is_a_key(text):
    keys = ApiKeys({hashlib.sha256(KEY.encode()).digest(): "alice"})
    assert keys.owner(text) == ("alice" if text == KEY else None)


def test_every_key_is_compared_in_constant_time(key_file, monkeypatch):
    compared = []
    compare = hmac.compare_digest
    monkeypatch.setattr(
        hmac, "compare_digest", lambda a, b: (compared.append((a, b)), compare(a, b))[1]
    )
    assert read_api_keys(key_file).owner(KEY) == "alice"
    assert [len(part) for pair in compared for part in pair] == [32] * 4


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no key"),
        ("# nothing\n", "no key"),
        (f"a:{KEY}\n{KEY}", "line 2"),
        ("a:short", "line 1"),
        (f"a b:{KEY}", "line 1"),
        (f":{KEY}", "line 1"),
    ],
)
def test_an_invalid_file_is_explained_without_quoting_a_key(tmp_path, text, words):
    path = tmp_path / "keys"
    path.write_text(text)
    with pytest.raises(SetupError, match=words) as caught:
        read_api_keys(path)
    assert KEY not in str(caught.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(SetupError, match="LECTERN_API_KEYS_FILE"):
        read_api_keys(tmp_path / "none")


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": f"Bearer {KEY}"},
        {"Authorization": f"bearer  {OTHER}"},
        {"X-API-Key": KEY},
        {"Authorization": "Basic x", "X-API-Key": OTHER},
    ],
)
def test_a_client_with_a_key_is_answered(guarded, headers):
    assert guarded().get("/v1/models", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer"},
        {"Authorization": f"Bearer {KEY}x"},
        {"Authorization": f"Basic {KEY}"},
        {"Authorization": "Bearer wrong", "X-API-Key": KEY},
        {"X-API-Key": "\udcff"},
    ],
)
@pytest.mark.parametrize("path", ["/v1/models", "/v1/models/classifier:predict", "/nope"])
def test_a_client_without_a_known_key_gets_401(guarded, fake, headers, path):
    response = guarded().post(path, headers=headers, json={"inputs": [1]})
    assert_problem(response, 401, "X-API-Key", "Bearer")
    assert response.headers["WWW-Authenticate"].lower().startswith("bearer")
    assert KEY not in response.text
    assert fake.requests == []


@pytest.mark.parametrize(
    "path",
    ["/livez", "/readyz", "/v2/health/live", "/metrics", "/", "/static/docs.js", "/studio/main.js"],
)
def test_probes_metrics_and_pages_need_no_key(guarded, path):
    with guarded().get(path) as response:
        assert response.status_code == 200


def test_without_a_file_no_key_is_needed(client):
    assert client.get("/v1/models").status_code == 200


def test_each_client_has_a_budget_of_its_own_over_all_calls(guarded):
    client = guarded(rate_limit="2/hour")
    alice, bob = {"X-API-Key": KEY}, {"X-API-Key": OTHER}
    assert client.get("/v1/models", headers=alice).status_code == 200
    assert client.get("/v1/models/classifier", headers=alice).status_code == 200
    response = client.get("/v1/models", headers=alice)
    assert_problem(response, 429, "2 per 1 hour")
    assert int(response.headers["Retry-After"]) > 60
    assert client.get("/v1/models", headers=bob).status_code == 200
    assert client.get("/livez").status_code == 200


def test_without_keys_an_address_has_a_budget(guarded):
    client = guarded(rate_limit="1/hour", api_keys_file=None)
    assert client.get("/v1/models").status_code == 200
    assert client.get("/v1/models").status_code == 429
    elsewhere = {"REMOTE_ADDR": "192.0.2.7"}
    assert client.get("/v1/models", environ_base=elsewhere).status_code == 200
