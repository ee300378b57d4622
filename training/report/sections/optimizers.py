"""The section on optimizers and their paths."""

from __future__ import annotations

from training.evaluation.optimizer_paths import draw_optimizer_paths
from training.report.report_data import ReportData


def optimizers_section(data: ReportData) -> str:
    """Returns the paths of optimizers on the course's test function."""
    path = draw_optimizer_paths(data.folder / "figures" / "optimizers.png")
    return f"""\
## Optimizers

![Paths of the optimizers]({path.relative_to(data.folder)})

The optimizer is a setting of the recipe. `python -m training optimizers` draws this figure alone.
"""
