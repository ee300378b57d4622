"""Requests as a client sends them that keeps to no rule, and the status that answers each.

A status is HTTP's number or gRPC's name. `CLOSED` is a connection that ended without an answer,
`SILENT` one on which nothing came in time.
"""

from __future__ import annotations

import gzip
import http.client
import socket
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from functools import cache

import grpc

from tests.stack import Stack

PREDICTION = "tensorflow.serving.PredictionService"
MODELS = "tensorflow.serving.ModelService"

CLOSED = "closed"
SILENT = "silent"
SECONDS = 60

Status = int | str


@dataclass(frozen=True)
class Raw:
    """Bytes on a connection; the status is that of the first answer.

    Attributes:
        service: the port of the stack that they go to.
        content: what is sent.
        ends: whether the client then says that it sends no more.
    """

    service: str
    content: bytes
    ends: bool = False

    @property
    def decoded_bytes(self) -> int:
        return len(self.content)

    def send(self, stack: Stack) -> Status:
        address = "127.0.0.1", stack.ports[self.service]
        with closing(socket.create_connection(address, timeout=SECONDS)) as connection:
            # Whoever is refused early may find the connection closed while it still sends.
            with suppress(OSError):
                connection.sendall(self.content)
                if self.ends:
                    connection.shutdown(socket.SHUT_WR)
            return read_status(connection)


@dataclass(frozen=True)
class Http:
    """A well-formed HTTP request, whatever is in it."""

    service: str
    path: str
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    method: str = "POST"
    decoded: int | None = None

    @property
    def decoded_bytes(self) -> int:
        return len(self.body) if self.decoded is None else self.decoded

    def zipped(self) -> Http:
        """Return the same request with its body compressed."""
        return replace(
            self,
            body=gzip.compress(self.body),
            headers={**self.headers, "Content-Encoding": "gzip"},
            decoded=len(self.body),
        )

    def encoded(self) -> bytes:
        """Return the bytes on the wire; the connection ends with the answer."""
        fields = {
            "Host": "127.0.0.1",
            "Connection": "close",
            "Content-Length": str(len(self.body)),
            **self.headers,
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        return f"{self.method} {self.path} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + self.body

    def send(self, stack: Stack) -> Status:
        return Raw(self.service, self.encoded()).send(stack)


@dataclass(frozen=True)
class Grpc:
    """A call of a method, with a message as it is on the wire."""

    method: str
    message: bytes

    @property
    def decoded_bytes(self) -> int:
        return len(self.message)

    def send(self, stack: Stack) -> Status:
        try:
            self.answer(stack)
        except grpc.RpcError as error:
            return error.code().name
        return "OK"

    def answer(self, stack: Stack) -> bytes:
        """Return the message that answers.

        Raises:
            grpc.RpcError: none did.
        """
        # Without serializers the message goes out as it is.
        call = _channel(stack.ports["grpc"]).unary_unary(f"/{self.method}")
        return call(self.message, timeout=SECONDS)


Request = Raw | Http | Grpc


@cache
def _channel(port: int) -> grpc.Channel:
    options = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
    return grpc.insecure_channel(f"127.0.0.1:{port}", options)


def read_status(connection: socket.socket) -> Status:
    """Read an answer to its end, and return its status."""
    try:
        response = http.client.HTTPResponse(connection)
        response.begin()
        response.read()
    except TimeoutError:
        return SILENT
    except (http.client.HTTPException, ConnectionResetError):
        return CLOSED
    return response.status
