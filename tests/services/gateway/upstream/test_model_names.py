from __future__ import annotations

import os

import pytest

from services.gateway.settings import Settings
from services.gateway.upstream.model_names import ModelConfigError, ModelNames

CONFIG = """
model_config_list {
  config { name: "cnn" base_path: "cnn" model_platform: "tensorflow" }
  config { name: "rnn" base_path: "/models/rnn" model_version_policy { all {} } }
}
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "models.config"
    path.write_text(CONFIG)
    return path


def test_the_names_are_those_that_the_model_server_is_told(file):
    assert tuple(ModelNames(Settings(models=(), model_config_file=file))) == ("cnn", "rnn")


def test_names_in_the_settings_come_first(file):
    assert tuple(ModelNames(Settings(models=("vae",), model_config_file=file))) == ("vae",)


def test_without_either_there_are_none(tmp_path):
    names = ModelNames(Settings(models=(), model_config_file=tmp_path / "none"))
    assert not names
    assert "cnn" not in names


@pytest.mark.parametrize("content", [b"nonsense {", b"\xff\xfe"])
def test_a_file_that_is_no_config_is_explained(file, content):
    file.write_bytes(content)
    with pytest.raises(ModelConfigError, match="LECTERN_MODELS"):
        ModelNames(Settings(models=(), model_config_file=file))


def test_a_changed_file_is_read_again_and_a_broken_one_changes_nothing(file, monkeypatch):
    monkeypatch.setattr("services.gateway.watched_file.SECONDS_BETWEEN_LOOKS", 0)
    names = ModelNames(Settings(models=(), model_config_file=file))
    file.write_text('model_config_list { config { name: "own" base_path: "own" } }')
    os.utime(file, (1, 1))
    assert tuple(names) == ("own",)
    assert len(names) == 1
    file.write_text("nonsense {")
    os.utime(file, (2, 2))
    assert tuple(names) == ("own",)
