"""Cross-origin resource sharing: lets pages of other origins call the gateway.

Source: https://fetch.spec.whatwg.org/#http-cors-protocol
"""

from __future__ import annotations

from collections.abc import Collection

from flask import Flask, Response, request

from services.gateway.middleware.authentication import KEY_HEADER
from services.gateway.request.context import REQUEST_ID_HEADER, TIMEOUT_HEADER

_REQUEST_HEADERS = ", ".join(
    ["Authorization", "Content-Type", KEY_HEADER, REQUEST_ID_HEADER, TIMEOUT_HEADER, "traceparent"]
)
_PREFLIGHT_SECONDS = 600


def allow_origins(app: Flask, origins: Collection[str]) -> None:
    """Lets pages of the given origins call an application.

    Args:
        app: the application.
        origins: such as `https://studio.example`; `*` for all.
    """
    app.after_request(lambda response: _share(response, origins))


def _share(response: Response, origins: Collection[str]) -> Response:
    response.vary.add("Origin")
    origin = request.headers.get("Origin")
    if origin is None or not {origin, "*"} & set(origins):
        return response
    response.headers["Access-Control-Allow-Origin"] = origin
    response.headers["Access-Control-Expose-Headers"] = f"{REQUEST_ID_HEADER}, Retry-After"
    if "Access-Control-Request-Method" in request.headers:
        response.headers["Access-Control-Allow-Methods"] = "GET, POST"
        response.headers["Access-Control-Allow-Headers"] = _REQUEST_HEADERS
        response.headers["Access-Control-Max-Age"] = str(_PREFLIGHT_SECONDS)
    return response
