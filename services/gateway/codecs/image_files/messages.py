"""Messages between this process and the one that decodes: values as JSON, and bytes beside them."""

from __future__ import annotations

import json
import socket
import struct
from typing import Any

_SIZES = struct.Struct(">IQ")


class Messages:
    """Sends and receives messages over a socket.

    Args:
        connection: to another process.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._incoming = connection.makefile("rb")

    def send(self, values: dict[str, Any], content: bytes = b"") -> None:
        """Sends a message.

        Raises:
            OSError: the other process has ended.
        """
        text = json.dumps(values).encode()
        self._connection.settimeout(None)
        self._connection.sendall(_SIZES.pack(len(text), len(content)) + text)
        self._connection.sendall(content)

    def receive(self, seconds: float | None = None) -> tuple[dict[str, Any], bytes]:
        """Returns the next message.

        Args:
            seconds: how long to wait for it; None for as long as it takes.

        Raises:
            TimeoutError: it did not come in time. No further message can be received.
            EOFError, OSError: the other process has ended.
        """
        self._connection.settimeout(seconds)
        text_size, content_size = _SIZES.unpack(self._read(_SIZES.size))
        return json.loads(self._read(text_size)), self._read(content_size)

    def close(self) -> None:
        """Ends the connection, which the other process takes for its end."""
        self._incoming.close()
        self._connection.close()

    def _read(self, size: int) -> bytes:
        content = self._incoming.read(size)
        if len(content) < size:
            raise EOFError
        return content
