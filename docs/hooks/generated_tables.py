"""Writes the tables of the reference from the code, where a page has `<!-- table: NAME -->`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import Field, fields
from typing import Any

import typer
from prometheus_client.metrics import MetricWrapperBase
from pydantic_core import PydanticUndefined

import lectern.cli
import training.cli
from services.gateway.settings import Settings
from services.gateway.telemetry import metrics as gateway_metrics
from services.model_server.flags import Flags
from services.model_server.inference.metrics import Metrics

_MARKER = re.compile(r"^<!-- table: ([\w ]+) -->$", re.MULTILINE)


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Replaces the markers of a page by the tables that they name."""
    return _MARKER.sub(lambda match: TABLES[match[1]](), markdown)


def _settings() -> str:
    rows = []
    for name, field in Settings.model_fields.items():
        default = "" if field.default in (None, (), PydanticUndefined) else f"`{field.default}`"
        rows.append((f"`LECTERN_{name.upper()}`", default, field.description or ""))
    return _table(("setting", "default", "meaning"), rows)


def _flags(*, ignored: bool) -> str:
    rows = [
        (f"`--{each.name}`", _flag_default(each), each.metadata["help"])
        for each in fields(Flags)
        if each.metadata["ignored"] == ignored
    ]
    return _table(("flag", "default", "reason" if ignored else "meaning"), rows)


def _flag_default(flag: Field[Any]) -> str:
    if flag.name in ("grpc_max_threads", "rest_api_num_threads"):
        return "4 per processor"  # The value is that of the machine that builds the manual.
    return "" if flag.default in (None, "", ()) else f"`{str(flag.default).lower()}`"


def _commands(app: typer.Typer, program: str) -> str:
    """Returns a section for each command, with its arguments and options."""
    return "\n\n".join(_command_sections(typer.main.get_command(app), program))


def _command_sections(group: Any, program: str) -> Iterator[str]:
    for name, command in group.commands.items():
        yield f"### `{program} {name}`\n\n{_without_escapes(command.help)}"
        rows = [
            (f"`{_spelling(each)}`", _default(each), each.help or "") for each in command.params
        ]
        if rows:
            yield _table(("argument", "default", "meaning"), rows)
        if isinstance(command, typer.core.TyperGroup):
            yield from _command_sections(command, f"{program} {name}")


def _spelling(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return str(parameter.metavar or parameter.name.upper())
    return ", ".join(parameter.opts)


def _default(parameter: Any) -> str:
    if parameter.required or parameter.default in (None, False, ()):
        return ""
    return f"`{parameter.default}`"


def _without_escapes(text: str | None) -> str:
    return (text or "").replace("\b", "").strip()


def _metrics(collectors: Iterable[Any], page: bytes) -> str:
    """Returns a table of metrics, by the names of the page that Prometheus reads."""
    names = re.findall(r"^# TYPE (\S+) ", page.decode(), re.MULTILINE)
    rows = []
    for each in collectors:
        [family] = each.describe()
        [name] = {family.name, f"{family.name}_total"} & set(names)
        labels = ", ".join(f"`{label}`" for label in each._labelnames)
        rows.append((f"`{name}`", family.type, labels, family.documentation))
    return _table(("metric", "type", "labels", "meaning"), rows)


def _gateway_metrics() -> str:
    known = [each for each in vars(gateway_metrics).values() if isinstance(each, MetricWrapperBase)]
    return _metrics(known, gateway_metrics.exposition()[0])


def _model_server_metrics() -> str:
    metrics = Metrics()
    known = dict.fromkeys(metrics._registry._names_to_collectors.values())
    return _metrics(known, metrics.page())


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    cells = (
        (" ".join(cell.split()).replace("|", "\\|").replace("<", "&lt;") for cell in line)
        for line in lines
    )
    return "\n".join(f"| {' | '.join(line)} |" for line in cells)


TABLES: Mapping[str, Callable[[], str]] = {
    "gateway settings": _settings,
    "model server flags": lambda: _flags(ignored=False),
    "ignored flags": lambda: _flags(ignored=True),
    "lectern commands": lambda: _commands(lectern.cli.app, "lectern"),
    "training commands": lambda: _commands(training.cli.app, "python -m training"),
    "gateway metrics": _gateway_metrics,
    "model server metrics": _model_server_metrics,
}
