"""Messages between the gateway and the decoding process: JSON values, and bytes after them."""

from __future__ import annotations

import json
import socket
import struct
from typing import Any

_SIZES = struct.Struct(">IQ")


class Messages:
    """Sends and receives messages over a socket.

    Args:
        connection: socket to the other process.
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
            seconds: timeout; None to wait without a limit.

        Raises:
            TimeoutError: no message came in time. No further message can be received.
            EOFError, OSError: the other process has ended.
        """
        self._connection.settimeout(seconds)
        text_size, content_size = _SIZES.unpack(self._read(_SIZES.size))
        return json.loads(self._read(text_size)), self._read(content_size)

    def close(self) -> None:
        """Closes the connection, which makes the other process exit."""
        self._incoming.close()
        self._connection.close()

    def _read(self, size: int) -> bytes:
        content = self._incoming.read(size)
        if len(content) < size:
            raise EOFError
        return content
