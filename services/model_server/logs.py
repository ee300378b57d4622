"""Structured logs on stderr: text for people on a terminal, JSON lines for everything else.

`LECTERN_LOG_FORMAT` set to `text` or `json` overrides the choice, as it does for the gateway.
"""

from __future__ import annotations

import logging
import os
import sys

import structlog


def configure_logs() -> None:
    """Sends structlog and the standard library's loggers to stderr in one form.

    To be called before TensorFlow and gRPC are imported, whose own chatter it silences unless the
    environment asks for it.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    logging.getLogger("grpc._common").addFilter(_without_traceback)
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_renderers(),
            ],
        )
    )
    logging.basicConfig(level=logging.INFO, handlers=[handler])


def _without_traceback(record: logging.LogRecord) -> bool:
    """Logs a request that cannot be decoded as one line, since any client can send it."""
    record.exc_info = None
    return True


def _renderers() -> list[structlog.typing.Processor]:
    is_terminal = sys.stderr.isatty()
    if os.environ.get("LECTERN_LOG_FORMAT", "text" if is_terminal else "json") == "text":
        return [structlog.dev.ConsoleRenderer(colors=is_terminal)]
    return [structlog.processors.dict_tracebacks, structlog.processors.JSONRenderer()]
