from __future__ import annotations

import json
import logging

import pytest
import structlog

from services.gateway.settings import Settings
from services.gateway.telemetry.logs import configure_logging


@pytest.fixture(autouse=True)
def restored_logging():
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def test_own_and_foreign_lines_are_of_one_form(capsys):
    configure_logging(Settings(log_format="json"))
    structlog.get_logger().info("own", number=1, text="a\nb\ud800")
    logging.getLogger("gunicorn.error").warning("foreign %s", "line")
    own, foreign = map(json.loads, capsys.readouterr().err.splitlines())
    assert (own["event"], own["level"], own["number"]) == ("own", "info", 1)
    assert (foreign["event"], foreign["level"]) == ("foreign line", "warning")
    assert own.keys() - {"number", "text"} == foreign.keys() == {"event", "level", "timestamp"}


def test_an_exception_is_one_line_with_its_stack(capsys):
    configure_logging(Settings(log_format="json"))
    try:
        raise ValueError("why")
    except ValueError:
        structlog.get_logger().exception("failed")
    (line,) = map(json.loads, capsys.readouterr().err.splitlines())
    assert "ValueError: why" in line["exception"]


def test_a_readable_line_is_one_line_and_the_stack_of_an_exception_follows_it(capsys):
    configure_logging(Settings(log_format="text"))
    try:
        raise ValueError("why")
    except ValueError:
        structlog.get_logger().exception("failed", text="a\nb", number=1)
    first, *stack = capsys.readouterr().err.splitlines()
    assert first.endswith("[error   ] failed text=a\\nb number=1")
    assert stack[-1] == "ValueError: why"


def test_lines_below_the_level_are_left_out(capsys):
    configure_logging(Settings(log_level="warning", log_format="text"))
    structlog.get_logger().info("hidden")
    structlog.get_logger().warning("shown", path="/x")
    text = capsys.readouterr().err
    assert "hidden" not in text
    assert "shown" in text
    assert "path=/x" in text
