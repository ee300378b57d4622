"""Writes models/README.md: what the repository holds and what it was measured to do."""

from __future__ import annotations

from pathlib import Path

from training.data import Split
from training.evaluate import measure, trained_networks
from training.export import read_origin
from training.repository import latest_version
from training.zoo.network import Network

_HEADER = """\
# The models

Trained on Fashion-MNIST and exported with every task as a signature. `python -m training report`
writes this file: it loads the latest version of each model from this folder, as a server does, and
runs the {test_size:,} images of the test set through it. Nothing was chosen by looking at them;
that is what the validation set is for.

| model | version | task | network | parameters | test set | size | retrain it with |
| --- | --: | --- | --- | --: | --: | --: | --- |
"""


def write_report(models: Path, test: Split) -> Path:
    """Measures the latest version of every network in the repository and writes the README.

    Args:
        models: The repository.
        test: The test set.

    Returns:
        The path of the README.

    Raises:
        ModelRepositoryError: A version cannot be loaded or does not say how it was trained.
    """
    rows = [_row(models, network, test) for network in trained_networks(models)]
    path = models / "README.md"
    path.write_text(_HEADER.format(test_size=len(test)) + "".join(f"{row}\n" for row in rows))
    return path


def _row(models: Path, network: Network, test: Split) -> str:
    version = latest_version(models, network.name)
    measured = measure(version, network.objective, test)
    cells = [
        f"`{network.name}`",
        version.name,
        network.task,
        network.summary,
        f"{measured.parameters:,}",
        f"{network.objective.quality} {measured.quality:#.4g}",
        f"{measured.size / 1e6:.2f} MB",
        f"`python -m training train {network.name} --preset {read_origin(version).preset}`",
    ]
    return f"| {' | '.join(cells)} |"
