"""Settings of the gateway: name, type, default and meaning.

Priority: command line (`--port 8080`), environment (`LECTERN_PORT=8080`), default value below.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    Field,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from services.gateway.cascade_setting import parse_cascade


def _check_cascade(text: str) -> str:
    parse_cascade(text)
    return text


CascadeText = Annotated[str, AfterValidator(_check_cascade)]


class SetupError(ValueError):
    """A file or a value in the settings cannot be used; the message says why and how to fix it."""


class Settings(BaseSettings):
    """Lectern's gateway: an HTTP front for TensorFlow Serving."""

    model_config = SettingsConfigDict(env_prefix="LECTERN_", frozen=True)

    model_server: str = Field("127.0.0.1:8500", description="gRPC address of the model server")
    model_server_ca: Path | None = Field(
        None,
        description="file with the CA certificate that signed the model server's; turns TLS on",
    )
    model_server_certificate: Path | None = Field(
        None, description="file of the client certificate for the model server"
    )
    model_server_key: Path | None = Field(None, description="file of that certificate's key")
    models: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="names of the models, comma-separated; by default from model_config_file"
    )
    model_config_file: Path = Field(
        Path("models/models.config"),
        description="the model server's models.config, which lists the names of its models",
    )
    cascades: Annotated[tuple[CascadeText, ...], NoDecode] = Field(
        (),
        description="virtual models that ask a large model when a small one is unsure, "
        "comma-separated: NAME=SMALL>LARGE@THRESHOLD, such as auto=mimic>cnn_best@0.9",
    )
    splits_file: Path | None = Field(
        None,
        description="file of virtual models that share requests between models or versions, or "
        "mirror some to another; read again when it changes",
    )
    max_shadow_calls: PositiveInt = Field(
        2, description="concurrent calls per worker to the shadows of splits"
    )
    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8080, ge=0, le=65535, description="port to listen on; 0 picks a free one")
    workers: PositiveInt = Field(2, description="worker processes")
    threads: PositiveInt = Field(32, description="threads per worker; one per in-flight request")
    max_waiting_requests: PositiveInt = Field(
        256, description="requests per worker that may wait for a thread; more get 503"
    )
    max_connections: PositiveInt = Field(
        1000,
        validate_default=True,
        description="open connections per worker, more than its threads; more connections wait",
    )
    timeout_seconds: PositiveFloat = Field(
        10.0, description="deadline of a request, in seconds from its arrival"
    )
    upstream_batching: bool = Field(
        True,
        description="let concurrent requests for one signature share calls to the model server",
    )
    max_batch_rows: PositiveInt = Field(64, description="largest shared call, in rows")
    max_batch_calls: PositiveInt = Field(
        1,
        description="in-flight shared calls per worker and signature; raise it where the model "
        "server has more replicas than there are workers",
    )
    cache_bytes: NonNegativeInt = Field(
        0,
        description="memory per worker for the answer cache; for deterministic models",
    )
    max_expensive_calls: PositiveInt = Field(
        8,
        description="concurrent explanations, visualizations and generations per worker, at most "
        "half of its threads; more get 503",
    )
    api_keys_file: Path | None = Field(
        None, description="file with one line name:key per client; by default every client may call"
    )
    rate_limit: str | None = Field(
        None,
        description="requests per client and worker, such as 100/second; clients are told apart by "
        "key, or by address without a key",
    )
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="origins whose pages may call, comma-separated; * for all"
    )
    max_body_bytes: PositiveInt = Field(16 * 2**20, description="largest request body")
    max_image_pixels: PositiveInt = Field(
        16_000_000,
        description="largest image, width x height; a JPEG that is scaled down may have 4 times as "
        "many pixels",
    )
    max_request_pixels: PositiveInt = Field(
        64_000_000, description="all images of a request together, width x height"
    )
    max_json_values: PositiveInt = Field(
        1_000_000,
        description="numbers in a JSON body; a string or a list counts as two, an object as five",
    )
    max_answer_numbers: PositiveInt = Field(
        2**24, description="numbers in the answer to one request, all outputs together"
    )
    payload_log: str | None = Field(
        None,
        description="folder, or URL that fsspec knows, for a log of requests and answers as JSON "
        "lines; by default there is none",
    )
    payload_log_share: float = Field(
        0.01, gt=0, le=1, description="share of the calls of models that the payload log records"
    )
    payload_log_body_bytes: PositiveInt = Field(
        2**16, description="largest body in the payload log; larger ones are left out"
    )
    payload_log_file_bytes: PositiveInt = Field(
        2**24, description="largest file of the payload log; each worker has its own"
    )
    payload_log_max_bytes: PositiveInt = Field(
        2**30,
        description="all files of the payload log in a folder; the oldest ones are removed",
    )
    payload_log_redact: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="headers, parameters and members of JSON whose values the payload log does not "
        "hold, comma-separated; headers with keys and cookies never are in it",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="log level")
    log_format: Literal["json", "text"] = Field("json", description="log format")

    @field_validator("max_connections")
    @classmethod
    def _leave_some_to_keep(cls, value: int, info: ValidationInfo) -> int:
        threads = info.data.get("threads", 0)
        if value <= threads:
            raise ValueError(f"expected more than the {threads} threads of a worker")
        return value

    @field_validator("models", "cors_origins", "cascades", "payload_log_redact", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(name.strip() for name in value.split(",") if name.strip())
        return value
