"""The ASGI application: HTTP in and out, the work itself in a pool of threads."""

from __future__ import annotations

import asyncio
import gzip
import os
import zlib
from concurrent.futures import ThreadPoolExecutor

import orjson
import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from services.model_server.core.errors import ServingError, invalid_argument
from services.model_server.core.manager import ModelManager
from services.model_server.rest_api.calls import answer
from services.model_server.rest_api.routes import find_route
from services.serving_api.protos import error_codes_pb2
from services.serving_api.status import HTTP_STATUS

NUM_THREADS = 4 * (os.cpu_count() or 1)
"""TensorFlow Serving's default for `--rest_api_num_threads`."""

_HTTP_STATUS = {code.value[0]: status for code, status in HTTP_STATUS.items()}

_log = structlog.get_logger(__name__)


def create_app(manager: ModelManager) -> ASGIApp:
    """Return the application that serves TensorFlow Serving's REST API from a manager."""
    threads = ThreadPoolExecutor(NUM_THREADS, thread_name_prefix="rest")

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            body = await request.body()
        except ClientDisconnect:
            return
        loop = asyncio.get_running_loop()
        response = await loop.run_in_executor(threads, _respond, manager, request, body)
        await response(scope, receive, send)

    return app


def _respond(manager: ModelManager, request: Request, body: bytes) -> Response:
    path = request.scope["raw_path"].decode("ascii", errors="replace")
    if not path.lower().startswith("/v1/"):
        return PlainTextResponse("Not Found", 404)
    try:
        route = find_route(request.method, path)
        content = answer(manager, route, _decode(body, request))
    except ServingError as error:
        return _error(error)
    except Exception as error:
        _log.exception("request crashed", method=request.method, path=path)
        return _error(ServingError(error_codes_pb2.INTERNAL, repr(error)))
    return Response(content, media_type="application/json")


def _decode(body: bytes, request: Request) -> bytes:
    if request.headers.get("content-encoding", "").lower() != "gzip":
        return body
    try:
        return gzip.decompress(body)
    except (OSError, EOFError, zlib.error):
        raise invalid_argument("the body is not gzip, which its Content-Encoding says") from None


def _error(error: ServingError) -> Response:
    content = orjson.dumps({"error": error.message})
    return Response(content, _HTTP_STATUS[error.code], media_type="application/json")
