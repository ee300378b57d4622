"""Logging: JSON lines or readable text, in one format for the gateway and gunicorn.

A line about a request has the members of `RequestContext.log_members`.
"""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog
from gunicorn.glogging import Logger
from structlog.typing import Processor

from services.gateway.settings import Settings

_SHARED: list[Processor] = [
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def configure_logging(settings: Settings) -> None:
    """Sends all log lines of this process to standard error."""
    text = settings.log_format == "text"
    # The plain formatter: the default one imports `rich` if it is installed.
    renderers: list[Processor] = (
        [
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
            )
        ]
        if text
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    structlog.configure(
        processors=[*_SHARED, *renderers],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_SHARED,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderers],
        )
    )
    logging.basicConfig(handlers=[handler], level=level, force=True)


class GunicornLogger(Logger):  # type: ignore[misc]
    """Gunicorn's logger, which passes its lines to the root logger."""

    def setup(self, cfg: Any) -> None:
        """Turns propagation on instead of adding handlers."""
        self.error_log.propagate = True
