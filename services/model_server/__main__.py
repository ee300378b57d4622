"""Runs the model server: `python -m services.model_server --model_config_file=…`."""

from __future__ import annotations

import sys

from services.model_server.logs import configure_logs

# gRPC and TensorFlow read their log levels from the environment as they are imported.
configure_logs()

from services.model_server.config.model_config import ConfigError  # noqa: E402
from services.model_server.flags import parse_flags  # noqa: E402
from services.model_server.ports import PortTakenError  # noqa: E402
from services.model_server.server import serve  # noqa: E402


def main() -> None:
    """Serves as the command line says; a mistake in it is one line and a non-zero exit."""
    try:
        serve(parse_flags(sys.argv[1:]))
    except (ConfigError, PortTakenError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
