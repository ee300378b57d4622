"""The names of the models to serve; TensorFlow Serving has no call that lists them."""

from __future__ import annotations

from services.gateway.settings import Settings, SetupError
from services.serving_api.protos import model_server_config_pb2
from services.serving_api.text_proto import ConfigError, read_text_proto


class ModelConfigError(SetupError):
    """A models.config that cannot be read; the message says what is wrong with it."""


def model_names(settings: Settings) -> tuple[str, ...]:
    """Return the names that the settings give, else those in the model server's models.config.

    Without either there are none: models are served when asked for, but are not listed, and the
    gateway never calls itself ready.

    Raises:
        ModelConfigError: the file is there, but is not a models.config.
    """
    if settings.models or not settings.model_config_file.exists():
        return settings.models
    try:
        config = read_text_proto(
            settings.model_config_file, model_server_config_pb2.ModelServerConfig()
        )
    except ConfigError as error:
        raise ModelConfigError(
            f"{error}; correct the file, or name the models in LECTERN_MODELS"
        ) from error
    return tuple(model.name for model in config.model_config_list.config)
