"""Authentication of clients by the API keys in a file.

A client sends its key as `Authorization: Bearer KEY` (RFC 6750) or `X-API-Key: KEY`.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from pathlib import Path

from flask import Flask, g, request

from services.gateway.request.errors import Unauthorized
from services.gateway.request.probe_paths import PROBE_PATHS
from services.gateway.settings import SetupError

KEY_HEADER = "X-API-Key"

_PAGE = re.compile(r"/(openapi\.json|docs.*|(static|studio)/.*)?")
"""Paths of the documentation and the studio, which need no key, since they run no model."""

_LINE = re.compile(r"(?P<name>[A-Za-z0-9._-]{1,64}):(?P<key>[\x21-\x7e]{16,256})")


class ApiKeys:
    """Maps keys to clients.

    Args:
        names: name of each client by the SHA-256 of its key.
    """

    def __init__(self, names: Mapping[bytes, str]) -> None:
        self._names = names

    def owner(self, key: str) -> str | None:
        """Returns the name of the client that a key belongs to, or None for an unknown key.

        It compares every key, each in constant time, so that its duration reveals nothing.
        """
        received = _digest(key)
        found = [
            name for digest, name in self._names.items() if hmac.compare_digest(digest, received)
        ]
        return found[0] if found else None


def read_api_keys(path: Path) -> ApiKeys:
    """Reads a file with one line `name:key` per client; empty lines and `#` lines are skipped.

    Raises:
        SetupError: the file cannot be read, contains no key, or has a line of another form.
    """
    try:
        lines = path.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError(f"LECTERN_API_KEYS_FILE: {path} cannot be read ({error})") from error
    names: dict[bytes, str] = {}
    for number, line in enumerate(map(str.strip, lines), start=1):
        if not line or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if not match:
            # The line is not quoted, since it may be a key.
            raise SetupError(
                f"LECTERN_API_KEYS_FILE: line {number} of {path} is not of the form name:key, with "
                "a name of letters, digits, '.', '_' and '-', and a key of 16 to 256 characters"
            )
        names[_digest(match["key"])] = match["name"]
    if not names:
        raise SetupError(
            f"LECTERN_API_KEYS_FILE: {path} contains no key, expected one line name:key per client"
        )
    return ApiKeys(names)


def identify_clients(app: Flask, keys: ApiKeys) -> None:
    """Sets the client of each request with a known key to the key's name."""

    @app.before_request
    def identify() -> None:
        key = _received_key()
        g.key_owner = keys.owner(key) if key else None
        g.context.client = g.key_owner or g.context.client


def require_keys(app: Flask) -> None:
    """Answers 401 to clients without a known key; `identify_clients` must be added before."""

    @app.before_request
    def check_key() -> None:
        if g.key_owner is None and not _is_open():
            reason = "the key is unknown" if _received_key() else "received no key"
            raise Unauthorized(
                f"{reason}, expected one as 'Authorization: Bearer KEY' or '{KEY_HEADER}: KEY'"
            )


def _is_open() -> bool:
    """Returns whether the current request needs no key; browsers send none with a preflight."""
    path = request.path
    return request.method == "OPTIONS" or path in PROBE_PATHS or bool(_PAGE.fullmatch(path))


def _received_key() -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else request.headers.get(KEY_HEADER, "")


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode(errors="surrogateescape")).digest()
