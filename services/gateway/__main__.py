"""Runs the gateway: `python -m services.gateway --help`."""

from __future__ import annotations

import sys

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from services.gateway.process.http_server import serve
from services.gateway.process.listener import ListenError
from services.gateway.settings import Settings


def main() -> None:
    """Reads the settings and serves.

    An invalid setting or an unusable port ends it with a one-line message and exit status 1.
    """
    try:
        settings = Settings(
            _cli_parse_args=True,
            _cli_prog_name="python -m services.gateway",
            _cli_kebab_case=True,
        )
        serve(settings)
    except ValidationError as error:
        sys.exit("\n".join(map(_describe, error.errors())))
    except ListenError as error:
        sys.exit(str(error))


def _describe(error: ErrorDetails) -> str:
    name = "_".join(map(str, error["loc"])).upper()
    return f"LECTERN_{name}: {error['msg']}, received {error['input']!r}"


if __name__ == "__main__":
    main()
