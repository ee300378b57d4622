"""Log lines of one form, from the gateway and from gunicorn alike: JSON, or text for people."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any

import structlog
from gunicorn.glogging import Logger
from structlog.typing import EventDict, Processor, WrappedLogger

from services.gateway.settings import Settings

_NOTHING: Mapping[str, str] = MappingProxyType({})
_members: ContextVar[Mapping[str, str]] = ContextVar("log_members", default=_NOTHING)


def set_log_members(members: Mapping[str, str]) -> None:
    """Add these to every log line of the current thread from here on, in place of the last ones."""
    _members.set(members)


def add_log_members(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Add what `set_log_members` has set; structlog's own contextvars cost ten times as much."""
    return {**_members.get(), **event}


_SHARED: list[Processor] = [
    add_log_members,
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
