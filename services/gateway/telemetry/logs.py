"""Log lines of one form, from the gateway and from gunicorn alike: JSON, or text for people.

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
    """Send all log lines of this process to the standard error stream."""
    text = settings.log_format == "text"
    # The plain formatter, since the default one may load a whole terminal library.
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
    """Gunicorn's logger without handlers of its own: its lines go the way of all others."""

    def setup(self, cfg: Any) -> None:
        """Leave the lines to the root logger."""
        self.error_log.propagate = True
