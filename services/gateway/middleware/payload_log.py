"""Offers sampled requests and their answers to the payload log."""

from __future__ import annotations

import io
import time
from datetime import UTC, datetime

from flask import Flask, Request, Response, g, request

from services.gateway.request.context import RequestContext
from services.gateway.telemetry.payload_log import Exchange, Message, PayloadLog


def log_payloads(app: Flask, payload_log: PayloadLog) -> None:
    """Records sampled calls of models, failed ones too, if the model server knows the model."""

    @app.after_request
    def record(response: Response) -> Response:
        context: RequestContext = g.context
        if request.method == "POST" and context.model and payload_log.is_sampled():
            payload_log.offer(_exchange(context, response, payload_log.max_body_bytes))
        return response


def _exchange(context: RequestContext, response: Response, max_bytes: int) -> Exchange:
    return Exchange(
        context=context,
        time=datetime.now(UTC).isoformat(timespec="milliseconds"),
        milliseconds=round(1000 * (time.monotonic() - context.arrival), 3),
        method=request.method,
        path=request.path,
        query=list(request.args.items(multi=True)),
        status=response.status_code,
        request=_received(request, max_bytes),
        answer=_answered(response, max_bytes),
    )


def _received(request: Request, max_bytes: int) -> Message:
    stream = request.environ["wsgi.input"]
    # The body of another WSGI server can be read only once; one with an encoding was refused.
    is_whole = isinstance(stream, io.BytesIO) and "HTTP_CONTENT_ENCODING" not in request.environ
    size = stream.getbuffer().nbytes if is_whole else request.content_length or 0
    body = stream.getvalue() if is_whole and size <= max_bytes else None
    return Message(list(request.headers.items()), request.mimetype, size, body)


def _answered(response: Response, max_bytes: int) -> Message:
    size = response.calculate_content_length() or 0
    body = response.get_data() if response.is_sequence and size <= max_bytes else None
    return Message(list(response.headers.items()), response.mimetype or "", size, body)
