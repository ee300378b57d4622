"""Every setting of the gateway: its name, type, default and meaning.

A setting comes from, in this order, the command line (`--port 8080`), the environment
(`LECTERN_PORT=8080`), the default below.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, PositiveFloat, PositiveInt, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


class Settings(BaseSettings):
    """Lectern's gateway: an HTTP front for TensorFlow Serving."""

    model_config = SettingsConfigDict(env_prefix="LECTERN_", frozen=True)

    model_server: str = Field("127.0.0.1:8500", description="gRPC address of the model server")
    models: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="names of the models, comma-separated; by default those of the file below"
    )
    model_config_file: Path = Field(
        Path("models/models.config"),
        description="the model server's models.config, read for the names of its models",
    )
    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8080, ge=0, le=65535, description="port to listen on; 0 picks a free one")
    workers: PositiveInt = Field(2, description="worker processes")
    threads: PositiveInt = Field(16, description="threads of each worker")
    timeout_seconds: PositiveFloat = Field(10.0, description="time that one request may take")
    max_body_bytes: PositiveInt = Field(16 * 2**20, description="largest request body")
    max_image_pixels: PositiveInt = Field(16_000_000, description="largest image, width x height")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="log level")
    log_format: Literal["json", "text"] = Field("json", description="form of a log line")

    @field_validator("models", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(name.strip() for name in value.split(",") if name.strip())
        return value
