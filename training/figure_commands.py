"""The commands that draw one figure of the course each: `python -m training figure --help`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

app = typer.Typer(no_args_is_help=True, add_completion=False)
console = Console()

FIGURES = Path("models/figures")


OutOption = Annotated[Path, typer.Option("--out", help="Path of the PNG file.")]


@app.command("approximation")
def approximation_command(
    path: OutOption = FIGURES / "approximation.png",
) -> None:
    """Draw functions approximated by one hidden layer of ReLU units."""
    from training.evaluation.approximation import draw_approximation

    console.print(f"Wrote {draw_approximation(path)}")


@app.command("curves")
def curves_command(
    path: OutOption = FIGURES / "curves.png",
) -> None:
    """Draw the course's activation functions and losses."""
    from training.evaluation.curves import draw_curves

    console.print(f"Wrote {draw_curves(path)}")


@app.command("deep-networks")
def deep_networks_command(
    path: OutOption = FIGURES / "deep_networks.png",
    data: Annotated[
        Path | None,
        typer.Option(envvar="FASHION_MNIST_DIR", help="Folder with Fashion-MNIST's four files."),
    ] = None,
) -> None:
    """Compare initialization, ELU and batch normalization with a plain deep network."""
    from training.data.fashion_mnist import load_training
    from training.evaluation.deep_networks import draw_deep_networks

    console.print(f"Wrote {draw_deep_networks(load_training(data)[0], path)}")
