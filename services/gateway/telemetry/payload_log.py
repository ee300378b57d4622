"""Payload log: sampled requests and their answers, one JSON line each, for replay and analysis."""

from __future__ import annotations

import atexit
import base64
import json
import random
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import orjson

from services.gateway.request.context import RequestContext
from services.gateway.settings import Settings
from services.gateway.telemetry.backlog import Backlog
from services.gateway.telemetry.metrics import PAYLOAD_LOG_RECORDS
from services.gateway.telemetry.payload_files import open_payload_files

_SECRET_HEADERS = frozenset(
    {"authorization", "cookie", "proxy-authorization", "set-cookie", "x-api-key"}
)
_REDACTED = "[redacted]"
_MAX_WAITING = 256
_MAX_WAITING_BYTES = 2**24
_OVERHEAD_BYTES = 4096
"""Memory of a record in addition to its bodies: headers, path, context."""
_SECONDS_TO_CLOSE = 5.0

Pairs = Iterable[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Message:
    """A request or an answer.

    Attributes:
        headers: its headers.
        media_type: the type of its body.
        size: bytes of its body.
        body: its body; None if it is too large or cannot be recorded.
    """

    headers: list[tuple[str, str]]
    media_type: str
    size: int
    body: bytes | None


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and its answer.

    Attributes:
        context: the context of the request.
        time: when it was answered, in ISO 8601.
        milliseconds: the time that the answer took.
        method: the HTTP method.
        path: the path.
        query: the parameters in the query.
        status: the HTTP status.
        request: the request.
        answer: the answer.
    """

    context: RequestContext
    time: str
    milliseconds: float
    method: str
    path: str
    query: list[tuple[str, str]]
    status: int
    request: Message
    answer: Message


class PayloadLog:
    """Writes sampled exchanges in a thread; drops those for which it has no space, and counts them.

    Args:
        settings: the settings.
        target: a folder, or a URL of fsspec.

    Attributes:
        max_body_bytes: size of the largest body that is recorded.

    Raises:
        SetupError: the target cannot be used.
    """

    def __init__(self, settings: Settings, target: str) -> None:
        self.max_body_bytes = settings.payload_log_body_bytes
        self._share = settings.payload_log_share
        self._redacted = frozenset(name.lower() for name in settings.payload_log_redact)
        self._files = open_payload_files(settings, target)
        self._backlog: Backlog[Exchange] = Backlog(
            self._write, threads=1, max_items=_MAX_WAITING, max_bytes=_MAX_WAITING_BYTES
        )
        atexit.register(self.close)

    def is_sampled(self) -> bool:
        """Returns whether the current request is to be recorded."""
        return random.random() < self._share

    def offer(self, exchange: Exchange) -> None:
        """Has an exchange written; drops it if too many wait."""
        bodies = (exchange.request.body, exchange.answer.body)
        size = _OVERHEAD_BYTES + sum(len(body) for body in bodies if body)
        if not self._backlog.offer(exchange, size):
            PAYLOAD_LOG_RECORDS.labels("queue_full").inc()

    def close(self) -> None:
        """Writes what waits, within seconds."""
        if self._backlog.wait_until_done(_SECONDS_TO_CLOSE):
            self._files.close()

    def _write(self, exchange: Exchange) -> None:
        self._files.write(exchange_line(exchange, self._redacted))


def exchange_line(exchange: Exchange, redacted: Collection[str]) -> bytes:
    """Returns the JSON line of an exchange.

    Args:
        exchange: the exchange.
        redacted: names in lower case of headers, parameters and members of JSON whose values are
            replaced.
    """
    context = exchange.context
    record = {
        "time": exchange.time,
        "request_id": context.request_id,
        "client": context.client,
        "model": context.model,
        "version": context.version,
        "split": context.split.name if context.split else None,
        "arm": context.arm.name if context.arm else None,
        "method": exchange.method,
        "path": exchange.path,
        "query": _redact_pairs(exchange.query, redacted),
        "status": exchange.status,
        "milliseconds": exchange.milliseconds,
        "request": _describe(exchange.request, redacted),
        "answer": _describe(exchange.answer, redacted),
    }
    return orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE)


def _describe(message: Message, redacted: Collection[str]) -> dict[str, Any]:
    described: dict[str, Any] = {
        "headers": _redact_pairs(message.headers, {*redacted, *_SECRET_HEADERS}),
        "bytes": message.size,
    }
    if message.body is not None:
        described.update(_describe_body(message.body, message.media_type, redacted))
    return described


def _describe_body(body: bytes, media_type: str, redacted: Collection[str]) -> dict[str, Any]:
    if body.lstrip()[:1] in {b"{", b"["}:
        # What is nested too deeply, or is no Unicode, is not JSON to every reader.
        with suppress(ValueError, TypeError, RecursionError):
            document = _redact(_parse(body), redacted) if redacted else _parse(body)
            return {"json": orjson.Fragment(orjson.dumps(document))}
    # A form, or JSON that cannot be read, may hold a name that is to be redacted.
    if redacted and not media_type.startswith("image/"):
        return {}
    return {"b64": base64.b64encode(body).decode()}


def _parse(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        # It may have TensorFlow Serving's tokens NaN and Infinity, which become null.
        return json.loads(body)


def _redact(value: Any, redacted: Collection[str]) -> Any:
    if isinstance(value, dict):
        return {
            name: _REDACTED if name.lower() in redacted else _redact(member, redacted)
            for name, member in value.items()
        }
    if isinstance(value, list):
        return [_redact(member, redacted) for member in value]
    return value


def _redact_pairs(pairs: Pairs, redacted: Collection[str]) -> dict[str, str]:
    return {name: _REDACTED if name.lower() in redacted else value for name, value in pairs}
