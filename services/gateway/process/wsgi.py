"""Runs a WSGI application for one request, and writes its whole response.

Source: https://peps.python.org/pep-3333/
"""

from __future__ import annotations

import time
from collections.abc import Callable
from email.utils import formatdate
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from services.gateway.process.http_request import HttpRequest

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

_BODILESS_STATUSES = ("1", "204", "304")


class Response(NamedTuple):
    """The response of an application.

    Attributes:
        status: status code and reason.
        headers: names and values.
        body: the parts of the body.
    """

    status: str
    headers: list[tuple[str, str]]
    body: list[bytes]

    def to_bytes(self, request: HttpRequest, keep_alive: bool) -> list[bytes]:
        """Returns what is sent: the head, and then the parts of the body.

        Args:
            request: the request that it answers.
            keep_alive: whether the connection stays open.
        """
        lines = [
            f"HTTP/{request.version} {self.status}",
            f"Date: {_date(int(time.time()))}",
            f"Connection: {'keep-alive' if keep_alive else 'close'}",
        ]
        lines += [f"{name}: {value}" for name, value in self.headers]
        body = self.body
        if request.method == "HEAD" or self.status.startswith(_BODILESS_STATUSES):
            body = []
        elif not any(name.lower() == "content-length" for name, _ in self.headers):
            lines.append(f"Content-Length: {sum(map(len, body))}")
        return ["\r\n".join([*lines, "\r\n"]).encode("latin-1"), *body]


def run_application(application: WSGIApplication, environ: WSGIEnvironment) -> Response:
    """Returns the whole response of an application."""
    started: list[tuple[str, list[tuple[str, str]]]] = []
    body: list[bytes] = []

    def start_response(
        status: str, headers: list[tuple[str, str]], _: Any = None, /
    ) -> Callable[[bytes], object]:
        started.append((status, headers))
        return body.append

    parts = application(environ, start_response)
    try:
        body.extend(parts)
    finally:
        close: Callable[[], object] | None = getattr(parts, "close", None)
        if close:
            close()
    return Response(*started[-1], body)


@lru_cache(maxsize=1)
def _date(seconds: int) -> str:
    return formatdate(seconds, usegmt=True)
