"""Authentication: clients whose keys stand in a file.

Keys come as `Authorization: Bearer KEY` (RFC 6750) or `X-API-Key: KEY`.
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
"""The documentation and the studio, which run no model and need no key, as the probes."""

_LINE = re.compile(r"(?P<name>[A-Za-z0-9._-]{1,64}):(?P<key>[\x21-\x7e]{16,256})")


class ApiKeys:
    """The clients by their keys.

    Args:
        names: the name of each client by the SHA-256 of its key.
    """

    def __init__(self, names: Mapping[bytes, str]) -> None:
        self._names = names

    def owner(self, key: str) -> str | None:
        """Return the name of the client that a key belongs to, None for an unknown key.

        Every key is compared, and each in constant time, so that the time taken tells nothing.
        """
        received = _digest(key)
        found = [
            name for digest, name in self._names.items() if hmac.compare_digest(digest, received)
        ]
        return found[0] if found else None


def read_api_keys(path: Path) -> ApiKeys:
    """Read a file with a line `name:key` for each client; empty lines and `#` lines are skipped.

    Raises:
        SetupError: the file cannot be read, holds no key, or has a line of another form.
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
            # The line itself may be a key, which does not belong into a log.
            raise SetupError(
                f"LECTERN_API_KEYS_FILE: line {number} of {path} is not of the form name:key, with "
                "a name of letters, digits, '.', '_' and '-', and a key of 16 to 256 characters"
            )
        names[_digest(match["key"])] = match["name"]
    if not names:
        raise SetupError(f"LECTERN_API_KEYS_FILE: {path} holds no key, so that no one could call")
    return ApiKeys(names)


def identify_clients(app: Flask, keys: ApiKeys) -> None:
    """Take the name of a request's key, where it has a known one, for the name of its client."""

    @app.before_request
    def identify() -> None:
        key = _received_key()
        g.key_owner = keys.owner(key) if key else None
        g.context.client = g.key_owner or g.context.client


def require_keys(app: Flask) -> None:
    """Answer 401 to clients without a known key; `identify_clients` comes first."""

    @app.before_request
    def check_key() -> None:
        if g.key_owner is None and not _is_open():
            reason = "this key is not known" if _received_key() else "no key was received"
            raise Unauthorized(
                f"{reason}, expected one as 'Authorization: Bearer KEY' or '{KEY_HEADER}: KEY'"
            )


def _is_open() -> bool:
    """Tell whether the current request needs no key; a browser's preflight has none."""
    path = request.path
    return request.method == "OPTIONS" or path in PROBE_PATHS or bool(_PAGE.fullmatch(path))


def _received_key() -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else request.headers.get(KEY_HEADER, "")


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode(errors="surrogateescape")).digest()
