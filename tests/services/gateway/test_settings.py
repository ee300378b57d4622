from __future__ import annotations

import pytest
from pydantic import ValidationError

from services.gateway.settings import Settings


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch):
    for name in Settings.model_fields:
        monkeypatch.delenv(f"LECTERN_{name.upper()}", raising=False)


def test_the_defaults_are_those_of_one_machine():
    settings = Settings()
    assert (settings.host, settings.port) == ("127.0.0.1", 8080)
    assert settings.model_server == "127.0.0.1:8500"


def test_the_environment_beats_the_default_and_the_command_line_beats_both(monkeypatch):
    monkeypatch.setenv("LECTERN_PORT", "9000")
    monkeypatch.setenv("LECTERN_THREADS", "3")
    settings = Settings(_cli_parse_args=["--port", "9001"])
    assert (settings.port, settings.threads) == (9001, 3)


def test_models_are_separated_by_commas(monkeypatch):
    monkeypatch.setenv("LECTERN_MODELS", "cnn, rnn,")
    assert Settings().models == ("cnn", "rnn")


def test_cascades_are_separated_by_commas(monkeypatch):
    monkeypatch.setenv("LECTERN_CASCADES", "auto=mimic>cnn@0.9, quick=svm>mlp@0.5")
    assert Settings().cascades == ("auto=mimic>cnn@0.9", "quick=svm>mlp@0.5")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CASCADES", "mimic>cnn"),
        ("PORT", "70000"),
        ("PORT", "x"),
        ("WORKERS", "0"),
        ("TIMEOUT_SECONDS", "-1"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused(monkeypatch, name, value):
    monkeypatch.setenv(f"LECTERN_{name}", value)
    with pytest.raises(ValidationError, match=name.lower()):
        Settings()


def test_a_worker_has_more_connections_than_threads():
    with pytest.raises(ValidationError, match="more than the 1000 threads"):
        Settings(threads=1000)
    assert Settings(threads=1000, max_connections=1001).max_connections == 1001


def test_every_setting_is_described():
    assert all(field.description for field in Settings.model_fields.values())
