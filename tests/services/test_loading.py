from __future__ import annotations

import urllib.request

import pytest

from services.console import Console
from services.loading import Loading

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
