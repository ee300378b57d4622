"""The ASGI application: HTTP in and out, the work itself in a pool of threads."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson
import structlog
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from services.model_server.errors import ServingError, shorten
from services.model_server.inference.data_plane import DataPlane
from services.model_server.models.manager import ModelManager
from services.model_server.models.model_control import ModelControl
from services.model_server.rest_api.body import BodyTooLargeError, decode_body, receive_body
from services.model_server.rest_api.calls import Calls
from services.model_server.rest_api.options import RestOptions
from services.model_server.rest_api.repository_calls import RepositoryCalls
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
"""How long no task watches whether the client hangs up: most answers are ready by then."""

_log = structlog.get_logger(__name__)


def create_app(
    manager: ModelManager,
    data_plane: DataPlane,
    options: RestOptions,
    control: ModelControl | None = None,
) -> ASGIApp:
    """Returns the application that serves TensorFlow Serving's REST API.

    Args:
        manager: reports the state of the models.
        data_plane: answers requests for inference.
        options: how to answer.
        control: loads and unloads models on request; None where clients may not.
    """
    repository = RepositoryCalls(control, options) if control else None
    calls = Calls(manager, data_plane, options.max_json_values, repository)
    threads = ThreadPoolExecutor(options.num_threads, thread_name_prefix="rest")

    async def respond(request: Request, body: bytes) -> Response:
        cancellation = Cancellation()
        work = asyncio.get_running_loop().run_in_executor(
            threads, _respond, calls, options, request, body, cancellation
        )
        await asyncio.wait([work], timeout=min(_UNWATCHED_SECONDS, options.timeout_seconds))
        if not work.done():
            await _wait_while_connected(work, request, options.timeout_seconds - _UNWATCHED_SECONDS)
        if work.done():
            return work.result()
        cancellation.cancel()
        message = f"Timed out waiting for notification: over {options.timeout_seconds} s"
        return _error(ServingError(error_codes_pb2.DEADLINE_EXCEEDED, message))

    async def receive_and_respond(request: Request) -> Response:
        try:
            async with asyncio.timeout(options.timeout_seconds):
                body = await receive_body(request.receive, request.headers, options.max_body_bytes)
        except BodyTooLargeError as error:
            return _refusal(413, str(error))
        except TimeoutError:
            return _refusal(408, f"the body did not arrive within {options.timeout_seconds} s")
        return await respond(request, body)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            response = await receive_and_respond(Request(scope, receive))
        except ClientDisconnect:
            return
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
    calls: Calls,
    options: RestOptions,
    request: Request,
    body: bytes,
    cancellation: Cancellation,
) -> Response:
    path = request.scope["raw_path"].decode("ascii", errors="replace")
    if options.metrics_path and path == options.metrics_path:
        return Response(calls.metrics_page(), media_type=CONTENT_TYPE_LATEST)
    if not path.lower().startswith(calls.prefixes):
        return PlainTextResponse("Not Found", 404)
    if request.method == "OPTIONS" and "origin" in request.headers:
        return Response(media_type="application/json")
    try:
        with cancellation.of_this_request():
            cancellation.check()
            route = find_route(request.method, path)
            body = decode_body(body, request.headers, options.max_body_bytes)
            content = calls.answer(route, body)
            return Response(content, media_type="application/json")
    except Exception as error:
        return _explain(error, request.method, path)


def _explain(error: Exception, method: str, path: str) -> Response:
    if isinstance(error, ServingError):
        return _error(error)
    if isinstance(error, BodyTooLargeError):
        return _refusal(413, str(error))
    _log.error("request crashed", method=method, path=shorten(path), exc_info=error)
    return _error(ServingError(error_codes_pb2.INTERNAL, repr(error)))


def _error(error: ServingError) -> Response:
    return _refusal(_HTTP_STATUS[error.code], error.message)


def _refusal(status: int, message: str) -> Response:
    content = orjson.dumps({"error": shorten(message)})
    return Response(content, status, media_type="application/json")
