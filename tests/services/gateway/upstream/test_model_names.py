from __future__ import annotations

import pytest

from services.gateway.settings import Settings
from services.gateway.upstream.model_names import ModelConfigError, model_names

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
    assert model_names(Settings(models=(), model_config_file=file)) == ("cnn", "rnn")


def test_names_in_the_settings_come_first(file):
    assert model_names(Settings(models=("vae",), model_config_file=file)) == ("vae",)


def test_without_either_there_are_none(tmp_path):
    assert model_names(Settings(models=(), model_config_file=tmp_path / "none")) == ()


@pytest.mark.parametrize("content", [b"nonsense {", b"\xff\xfe"])
def test_a_file_that_is_no_config_is_explained(file, content):
    file.write_bytes(content)
    with pytest.raises(ModelConfigError, match="LECTERN_MODELS"):
        model_names(Settings(models=(), model_config_file=file))
