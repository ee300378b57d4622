"""Reads which models to serve: TensorFlow Serving's `ModelServerConfig` text proto.

Source: tensorflow_serving/config/model_server_config.proto.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

from services.serving_api.protos import model_server_config_pb2
from services.serving_api.text_proto import ConfigError, read_text_proto

ModelConfig: TypeAlias = model_server_config_pb2.ModelConfig
"""One model to serve: its `name`, `base_path`, version policy and labels."""

PLATFORM = "tensorflow"

__all__ = [
    "PLATFORM",
    "ConfigError",
    "ModelConfig",
    "check_models",
    "read_config_file",
    "single_model",
]


def single_model(name: str, base_path: str) -> list[ModelConfig]:
    """Describes the one model of `--model_name` and `--model_base_path`."""
    return [ModelConfig(name=name, base_path=base_path, model_platform=PLATFORM)]


def read_config_file(path: Path) -> list[ModelConfig]:
    """Reads a model config file and find each base path on this machine.

    A base path is taken from the folder of the config file if it is relative, and by its last
    component from there if it does not exist: `/models/cnn`, the path inside a container, is
    found beside `models/models.config` on a laptop. URLs stay as they are.

    Raises:
        ConfigError: the file cannot be read, is not a ModelServerConfig, or names no servable set
            of models.
    """
    config = read_text_proto(path, model_server_config_pb2.ModelServerConfig())
    if config.HasField("custom_model_config"):
        raise ConfigError(f"{path} holds a custom_model_config, expected a model_config_list")
    models = list(config.model_config_list.config)
    check_models(models, str(path))
    for model in models:
        if "://" not in model.base_path:
            model.base_path = str(_find_base_path(model.base_path, path.parent))
    return models


def check_models(models: Sequence[ModelConfig], source: str) -> None:
    """Refuses models that cannot be served together.

    Args:
        models: what was read.
        source: where from, for the message.

    Raises:
        ConfigError: a field is missing, a platform is unknown, or two models share a name.
    """
    for position, model in enumerate(models, start=1):
        for field in ("name", "base_path"):
            if not getattr(model, field):
                raise ConfigError(f"model {position} of {source} has no {field}: add one")
        # The deprecated `model_type: TENSORFLOW` still means the same.
        platform = model.model_platform or (PLATFORM if model.model_type else "")
        if platform != PLATFORM:
            raise ConfigError(
                f"model {model.name!r} of {source} has the model_platform {platform!r}, "
                f"expected {PLATFORM!r}"
            )
    twice = [name for name, count in Counter(model.name for model in models).items() if count > 1]
    if twice:
        raise ConfigError(
            f"Illegal to list model {twice[0]} multiple times in config list of {source}"
        )


def _find_base_path(base_path: str, folder: Path) -> Path:
    candidates = (folder / base_path, Path(base_path), folder / Path(base_path).name)
    return next((path for path in candidates if path.is_dir()), Path(base_path))
