"""Prints what the model server's memory is spent on: `python -m benchmarks.memory`.

Loads and warms up the committed models in this process, as the server does, one after another.
"""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import psutil
from rich.console import Console
from rich.table import Table

from services.host.memory import limit_arenas
from tests.stack import COMMITTED

MEGABYTE = 2**20


class Part(NamedTuple):
    """Megabytes that a step of the start added: the process's own, and mapped from files."""

    name: str
    own: float
    mapped: float


def measure(paths: Sequence[Path]) -> list[Part]:
    """Starts a server's parts one after another and measures each.

    Args:
        paths: folders of the models' versions.
    """
    limit_arenas()
    servables = {}

    def load() -> None:
        from services.model_server.loading import load_options, loader  # noqa: PLC0415

        options = load_options.LoadOptions(session_config=load_options.make_session_config(None))
        servables.update({path: loader.load(path, options) for path in paths})
        _settle()

    def warm_up() -> None:
        warmup = importlib.import_module("services.model_server.inference.warmup")
        for path, servable in servables.items():
            warmup.warm_up(servable, path)
        _settle()

    return [
        _added("Python and this program", lambda: None, (0, 0)),
        _added(
            "the server's modules: gRPC, HTTP, messages", _import("services.model_server.server")
        ),
        _added("TensorFlow", _import("services.model_server.servables.tensorflow_core")),
        _added("sessions: graphs and variables", load),
        _added("what the first request of each signature compiles", warm_up),
    ]


def _import(name: str) -> Callable[[], object]:
    return lambda: importlib.import_module(name)


def _settle() -> None:
    importlib.import_module("services.model_server.models.heap").settle_heap()


def _added(name: str, step: Callable[[], object], before: tuple[int, int] | None = None) -> Part:
    own, mapped = before or _resident()
    step()
    own_after, mapped_after = _resident()
    return Part(name, (own_after - own) / MEGABYTE, (mapped_after - mapped) / MEGABYTE)


def _resident() -> tuple[int, int]:
    info = psutil.Process().memory_info()
    return info.rss - info.shared, info.shared


def main() -> None:
    """Measures and prints the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory", description=__doc__)
    parser.add_argument("models", nargs="*", help=f"of {', '.join(COMMITTED)}; default: all")
    names = parser.parse_args().models or list(COMMITTED)
    table = Table("part", show_edge=False, title=f"MB for {len(names)} models")
    for head in ("own", "mapped files"):
        table.add_column(head, justify="right")
    parts = measure([COMMITTED[name] / "1" for name in names])
    for part in [*parts, Part("together", sum(p.own for p in parts), sum(p.mapped for p in parts))]:
        table.add_row(part.name, f"{part.own:.0f}", f"{part.mapped:.0f}")
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
