"""The section on optimizers: the paths they take."""

from __future__ import annotations

from training.evaluation.optimizer_paths import draw_optimizer_paths
from training.report.study import Study


def optimizers_section(study: Study) -> str:
    """Shows the optimizers' paths down the course's valley."""
    path = draw_optimizer_paths(study.folder / "figures" / "optimizers.png")
    return f"""\
## How they get there

![Paths of the optimizers]({path.relative_to(study.folder)})

The optimizer is a setting of a recipe. `python -m training optimizers` draws this picture alone.
"""
