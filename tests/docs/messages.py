"""The messages of the code that say how to fix something."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.processes import ROOT

PACKAGES = ("lectern", "services", "training")
VERBS = (
    "add|ask|call|check|choose|correct|delete|export|free|give|install|leave|make|name|pass"
    "|pip install|raise|repeat|run|save|send|set|start|stop|train|try|use"
)
ADVICE = re.compile(rf"(?:[:;.] |, or )(?:{VERBS})\b", re.IGNORECASE)


def advising_messages() -> dict[str, str]:
    """Returns the messages of all `raise` statements that contain advice, with their files.

    A message contains advice if a clause of it begins with one of the verbs. What a message quotes
    is replaced by `…`.
    """
    found = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            for statement in ast.walk(ast.parse(path.read_text())):
                if isinstance(statement, ast.Raise) and statement.exc:
                    for text in _texts(statement.exc):
                        if ADVICE.search(text):
                            found[text] = str(path.relative_to(ROOT))
    return found


def _texts(node: ast.AST) -> Iterator[str]:
    """Yields the strings of an expression, the parts of an f-string as one."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield " ".join(node.value.split())
    elif isinstance(node, ast.JoinedStr):
        parts = [part.value if isinstance(part, ast.Constant) else "…" for part in node.values]
        yield " ".join("".join(map(str, parts)).split())
    else:
        for child in ast.iter_child_nodes(node):
            yield from _texts(child)
