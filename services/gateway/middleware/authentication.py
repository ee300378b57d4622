"""Who may call: the clients whose keys stand in a file, each as often as it may.

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
from services.gateway.settings import Settings, SetupError

KEY_HEADER = "X-API-Key"

_OPEN = re.compile(
    r"/(livez|readyz|startupz|v2/health/(live|ready)|metrics|openapi\.json|docs.*|(static|studio)/.*)?"
)
"""Probes, metrics, the documentation and the studio; they run no model."""

_LINE = re.compile(r"(?P<name>[A-Za-z0-9._-]{1,64}):(?P<key>[\x21-\x7e]{16,256})")


class ApiKeys:
    """The clients by their keys.

    Args:
        names: the name of each client by the SHA-256 of its key.
    """

    def __init__(self, names: Mapping[bytes, str]) -> None:
        self._names = names

    def owner(self, key: str) -> str | None:
        """Return the name of the client that a key belongs to, None for a key of nobody.

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


def guard(app: Flask, settings: Settings) -> None:
    """Let an application answer only clients with a key, and each only as often as it may.

    Without a file of keys everyone may call, and a client is whoever has one address.

    Args:
        app: the application.
        settings: the file of keys, and how often one client may call.

    Raises:
        SetupError: a setting cannot be used.
    """
    keys = read_api_keys(settings.api_keys_file) if settings.api_keys_file else None

    @app.before_request
    def identify_client() -> None:
        key = _received_key()
        g.key_owner = keys.owner(key) if keys and key else None
        g.client = g.key_owner or request.remote_addr or ""

    if settings.rate_limit:
        # Imported only here, since that takes a tenth of a second and ten megabytes.
        from services.gateway.middleware.rate_limit import limit_rate  # noqa: PLC0415

        limit_rate(app, settings.rate_limit)

    # After the limit, so that guessing keys is limited, too.
    @app.before_request
    def check_key() -> None:
        if keys and g.key_owner is None and not is_open():
            reason = "this key is not known" if _received_key() else "no key was received"
            raise Unauthorized(
                f"{reason}, expected one as 'Authorization: Bearer KEY' or '{KEY_HEADER}: KEY'"
            )


def is_open() -> bool:
    """Tell whether the current request needs no key; a browser's preflight has none."""
    return request.method == "OPTIONS" or bool(_OPEN.fullmatch(request.path))


def _received_key() -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else request.headers.get(KEY_HEADER, "")


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode(errors="surrogateescape")).digest()
