from __future__ import annotations

import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from services.console import Console
from services.loading import Loading, _get

GATEWAY, MODEL_SERVER = "http://gateway", "http://model-server"


class Services:
    """Answers what the services would; each poll of the models takes the next list of states."""

    def __init__(self, *states: dict[str, str]) -> None:
        self._states = list(states)

    def get(self, request: str | urllib.request.Request) -> object:
        url = request if isinstance(request, str) else request.full_url
        if url == f"{MODEL_SERVER}/v1/models":
            models = self._states.pop(0) if len(self._states) > 1 else self._states[0]
            return {"models": [_model(name, state) for name, state in models.items()]}
        if url == f"{GATEWAY}/livez":
            return {"status": "alive"}
        assert url == f"{GATEWAY}/v1/models/cnn:predict"
        return {"predictions": [{"label": "Ankle boot"}]}


def _model(name: str, state: str) -> dict[str, object]:
    message = "no such file" if state == "END" else ""
    version = {"version": "1", "state": state, "status": {"error_message": message}}
    return {"name": name, "model_version_status": [version]}


@pytest.fixture
def follow(monkeypatch, capsys):
    def run(*states: dict[str, str]) -> str:
        monkeypatch.setattr("services.loading._get", Services(*states).get)
        monkeypatch.setattr("services.loading._SECONDS_BETWEEN_POLLS", 0)
        Loading(Console(), GATEWAY, MODEL_SERVER).follow()
        return str(capsys.readouterr().out)

    return run


def test_it_greets_when_the_demonstration_answers_and_then_waits_for_the_rest(follow):
    shown = follow(
        {},
        {"cnn": "LOADING", "mlp": "AVAILABLE"},
        {"cnn": "AVAILABLE", "mlp": "LOADING"},
        {"cnn": "AVAILABLE", "mlp": "AVAILABLE"},
    )
    assert shown.startswith(f"Lectern is ready at {GATEWAY} and sees: Ankle boot\n")
    assert f'"{GATEWAY}/v1/models/cnn:predict"' in shown
    assert "Models: 1 of 2 are loaded" in shown
    assert shown.endswith("All 2 models are loaded.\n")


def test_other_models_get_another_command(follow):
    shown = follow({"flowers": "AVAILABLE"})
    assert f"Lectern is ready at {GATEWAY} and serves flowers\n" in shown
    assert f'lectern predict flowers photo.jpg --url "{GATEWAY}"' in shown


def test_models_that_cannot_be_loaded_are_named(follow):
    shown = follow({"cnn": "END", "mlp": "AVAILABLE"})
    assert "and serves mlp" in shown
    assert shown.endswith(
        "1 of 2 models are loaded. These cannot be loaded:\n  cnn: no such file\n"
    )


def test_nothing_is_printed_after_the_end(monkeypatch, capsys):
    loading = Loading(Console(), GATEWAY, MODEL_SERVER)
    answer = Services({"flowers": "AVAILABLE"}).get

    def get(request: str) -> object:
        loading._stopping.set()
        return answer(request)

    monkeypatch.setattr("services.loading._get", get)
    loading.follow()
    assert not capsys.readouterr().out


@pytest.mark.parametrize("first", [ConnectionRefusedError(), ValueError("no JSON"), KeyError()])
def test_a_call_without_a_usable_answer_is_made_again(monkeypatch, capsys, first):
    answer, failures = Services({"flowers": "AVAILABLE"}).get, [first]

    def get(request: str) -> object:
        if failures:
            raise failures.pop()
        return answer(request)

    monkeypatch.setattr("services.loading._get", get)
    monkeypatch.setattr("services.loading._SECONDS_BETWEEN_POLLS", 0)
    Loading(Console(), GATEWAY, MODEL_SERVER).follow()
    assert "and serves flowers" in capsys.readouterr().out


def test_a_proxy_is_not_asked_for_services_of_this_machine(monkeypatch):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            pass

    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.handle_request, daemon=True)
        thread.start()
        assert _get(f"http://127.0.0.1:{server.server_port}/livez") == {}
        thread.join()
