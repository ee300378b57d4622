"""The ASGI application: HTTP in and out, the work itself in a pool of threads."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson
import structlog
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from services.model_server.errors import ServingError, invalid_argument
from services.model_server.inference.inference import Inference
from services.model_server.rest_api.calls import answer
from services.model_server.rest_api.options import RestOptions
from services.model_server.rest_api.routes import find_route
from services.model_server.servables.cancellation import Cancellation
from services.serving_api.protos import error_codes_pb2
from services.serving_api.status import HTTP_STATUS

_HTTP_STATUS = {code.value[0]: status for code, status in HTTP_STATUS.items()}
_CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "POST, GET",
    "Access-Control-Allow-Headers": "Content-Type",
}
_UNWATCHED_SECONDS = 0.25
"""Only then somebody looks whether the client hung up: a look is a task, most answers are there."""

_log = structlog.get_logger(__name__)


def create_app(inference: Inference, options: RestOptions) -> ASGIApp:
    """Return the application that serves TensorFlow Serving's REST API."""
    threads = ThreadPoolExecutor(options.num_threads, thread_name_prefix="rest")

    async def respond(request: Request, body: bytes) -> Response:
        cancellation = Cancellation()
        work = asyncio.get_running_loop().run_in_executor(
            threads, _respond, inference, options, request, body, cancellation
        )
        await asyncio.wait([work], timeout=min(_UNWATCHED_SECONDS, options.timeout_seconds))
        if not work.done():
            await _wait_while_connected(work, request, options.timeout_seconds - _UNWATCHED_SECONDS)
        if work.done():
            return work.result()
        cancellation.cancel()
        message = f"Timed out waiting for notification: over {options.timeout_seconds} s"
        return _error(ServingError(error_codes_pb2.DEADLINE_EXCEEDED, message))

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            body = await request.body()
        except ClientDisconnect:
            return
        response = await respond(request, body)
        if options.enable_cors:
            response.headers.update(_CORS)
        await response(scope, receive, send)

    return app


async def _wait_while_connected(
    work: asyncio.Future[Response], request: Request, timeout_seconds: float
) -> None:
    hang_up = asyncio.ensure_future(_hang_up(request.receive))
    first: list[asyncio.Future[Any]] = [work, hang_up]
    await asyncio.wait(first, timeout=timeout_seconds, return_when=asyncio.FIRST_COMPLETED)
    hang_up.cancel()


async def _hang_up(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _respond(
    inference: Inference,
    options: RestOptions,
    request: Request,
    body: bytes,
    cancellation: Cancellation,
) -> Response:
    path = request.scope["raw_path"].decode("ascii", errors="replace")
    if options.metrics_path and path == options.metrics_path:
        return Response(inference.metrics.page(), media_type=CONTENT_TYPE_LATEST)
    if not path.lower().startswith("/v1/"):
        return PlainTextResponse("Not Found", 404)
    if request.method == "OPTIONS" and "origin" in request.headers:
        return Response(media_type="application/json")
    try:
        route = find_route(request.method, path)
        with cancellation.of_this_request():
            cancellation.check()
            content = answer(inference, route, _decode(body, request), options.max_json_values)
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
