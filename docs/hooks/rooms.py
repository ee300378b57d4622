"""Writes the rooms of each package, from its layers, and the path of a request, from its docstring.

A page has `<!-- rooms: services.gateway -->` or `<!-- request path -->` in their place.
"""

from __future__ import annotations

import ast
import re
import textwrap
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
_ROOMS = re.compile(r"^<!-- rooms: ([\w.]+) -->$", re.MULTILINE)


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Replaces the markers of a page."""
    markdown = markdown.replace("<!-- request path -->", _request_path())
    return _ROOMS.sub(lambda match: _rooms(match[1]), markdown)


def _request_path() -> str:
    """Returns the drawing in the docstring of the gateway's package."""
    text = ast.get_docstring(ast.parse((ROOT / "services/gateway/__init__.py").read_text())) or ""
    lines = text.splitlines()
    drawn = [number for number, line in enumerate(lines) if line.startswith("    ")]
    drawing = textwrap.dedent("\n".join(lines[drawn[0] : drawn[-1] + 1]))
    return f"```text\n{drawing}\n```"


def _rooms(package: str) -> str:
    rows = [f"| `{layer}` | {_summary(package, layer)} |" for layer in _layers(package)]
    return "\n".join(["| room | what it holds |", "| --- | --- |", *rows])


def _layers(package: str) -> Iterator[str]:
    """Yields the modules that may import only those after them, as the linter has them."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    for contract in contracts["contracts"]:
        if contract["type"] == "layers" and contract["containers"] == [package]:
            for layer in contract["layers"]:
                yield from layer.split(" | ")


def _summary(package: str, layer: str) -> str:
    """Returns the first sentence of a module's docstring."""
    path = ROOT / package.replace(".", "/") / layer
    module = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    text = ast.get_docstring(ast.parse(module.read_text())) or ""
    return " ".join(text.partition("\n\n")[0].split()).replace("|", "\\|")
