"""The card of a user's own model: its input, its tasks, and the checks of its export."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import keras
import tensorflow as tf

from training.exporting.session import SessionModel

if TYPE_CHECKING:
    from training.keras_models.plan import Options, Plan
    from training.keras_models.reading import Source

_CARD = """\
# {name}

{kind}, exported from `{source}` with every task that fits it. Its quality is not measured{how}.

## Measured

| measure | value |
| --- | --: |
{measured}
## Input

{inputs}

## Tasks

| signature | inputs | outputs |
| --- | --- | --- |
{signatures}
{skipped}## Export

{options}

Written with Keras {keras} and TensorFlow {tensorflow}.
"""

_HOW = """ here:
`python -m training evaluate {name} --images FOLDER` measures it on your images,
in one folder per label"""


def model_card(  # noqa: PLR0913, PLR0917
    name: str,
    description: str,
    source: Source,
    options: Options,
    plan: Plan,
    checks: Mapping[str, float | None],
    version: Path,
    session: SessionModel,
) -> str:
    """Returns the card of an exported model, in Markdown.

    Args:
        name: Name of the model.
        description: The file or network that was exported.
        source: The model.
        options: The user's options.
        plan: The contents of the export.
        checks: Figures of the export's checks by name; those that are None are left out.
        version: The folder of the version, with everything but the card.
        session: The loaded version.
    """
    size = sum(path.stat().st_size for path in version.rglob("*") if path.is_file())
    measured = {"parameters": f"{source.model.count_params():,}", "size": f"{size / 1e6:.2f} MB"}
    measured |= {check: f"{value:.1g}" for check, value in checks.items() if value is not None}
    described = {each.name: session.describe(each.name) for each in plan.signatures}
    skipped = "".join(f"- {task}: {reason}\n" for task, reason in plan.skipped.items())
    return _CARD.format(
        name=name,
        kind=f"{'An' if plan.kind[0] in 'aeiou' else 'A'} {plan.kind}",
        source=Path(description).name,
        how=_HOW.format(name=name) if plan.labels else "",
        measured=_rows(measured),
        inputs=_inputs(plan, described["serving_default"][0], options.pixels or source.family),
        signatures="".join(
            f"| `{each}` | {_cell(inputs)} | {_cell(outputs)} |\n"
            for each, (inputs, outputs) in described.items()
        ),
        skipped=f"Left out:\n\n{skipped}\n" if skipped else "",
        options=_options(options),
        keras=keras.__version__,
        tensorflow=tf.__version__,
    )


def _inputs(plan: Plan, described: str, pixels: str | None) -> str:
    lines = [f"- {each}" for each in described.splitlines()]
    if plan.labels:
        shown = ", ".join(plan.labels[:20])
        more = f" and {len(plan.labels) - 20} more" if len(plan.labels) > 20 else ""
        lines.append(f"- {len(plan.labels)} classes: {shown}{more}")
    if described.startswith("images "):
        rescaled = f"those of `{pixels}`" if pixels else "these too, and rescales them itself"
        lines.append(f"- clients send pixels from 0 to 255; the network was trained on {rescaled}")
    return "\n".join(lines)


def _options(options: Options) -> str:
    given = {key: value for key, value in asdict(options).items() if value}
    if not given:
        return "No options."
    if options.labels:
        given["labels"] = Path(options.labels).name
    return f"Options:\n\n| option | value |\n| --- | --- |\n{_rows(given)}".rstrip()


def _rows(values: Mapping[str, object]) -> str:
    return "".join(f"| {key} | {value} |\n" for key, value in values.items())


def _cell(described: str) -> str:
    """Returns tensors, which are described one per line, as the text of a cell."""
    tensors = (line.split(" ", 1) for line in described.splitlines())
    return ", ".join(f"`{name}` {shape}" for name, shape in tensors)
