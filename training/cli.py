"""The command line: `python -m training --help`."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.table import Table

from training.data.fashion_mnist import load_test, load_training
from training.data.samples import write_samples
from training.errors import TrainingError
from training.evaluation.cascade import (
    cascade_curve,
    choose_point,
    collect_answers,
    draw_cascade,
    run_cascade,
)
from training.evaluation.evaluate import trained_networks
from training.evaluation.figure import save_figure
from training.evaluation.optimizer_paths import draw_optimizer_paths
from training.exporting.repository import versions
from training.fitting.engine import BACKENDS, PRECISIONS, Engine
from training.fitting.sweep import Sweep, search
from training.fitting.train import Places, export_again, train
from training.report.report import write_report
from training.report.reported_model import report_models
from training.report.table import screen_table
from training.zoo import NETWORKS, find_network

app = typer.Typer(
    help="Train the networks on Fashion-MNIST and export them for a model server.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
console = Console()

NameArgument = Annotated[str, typer.Argument(help="A network; `list` shows them.")]
ModelsOption = Annotated[Path, typer.Option("--models", help="The model repository.")]
DataOption = Annotated[
    Path | None,
    typer.Option(
        "--data",
        envvar="FASHION_MNIST_DIR",
        help="A folder with Fashion-MNIST's four files. Without it: the Debian package's folder, "
        "Keras's cache, a download.",
    ),
]
PresetOption = Annotated[str, typer.Option(help="`quick` to try, `full` for the best.")]
RunsOption = Annotated[Path, typer.Option(help="Keeps the state of unfinished runs.")]
MODELS = Path("models")
RUNS = Path("runs")


@app.command("train")
def train_command(  # noqa: PLR0913, PLR0917  # Each argument is an option.
    name: NameArgument,
    preset: PresetOption = "full",
    data: DataOption = None,
    models: ModelsOption = MODELS,
    runs: RunsOption = RUNS,
    weights: Annotated[
        str | None,
        typer.Option(help="Of a frozen part: `imagenet`, `hed` or a VGG16 .weights.h5 file."),
    ] = None,
    backend: Annotated[
        str, typer.Option(help=f"The Keras backend to train on: {', '.join(BACKENDS)}.")
    ] = BACKENDS[0],
    strategy: Annotated[
        str | None,
        typer.Option(
            help="`mirrored` over GPUs, `multiworker` over the machines of TF_CONFIG, "
            "`model_parallel` with `--backend jax`."
        ),
    ] = None,
    precision: Annotated[
        str, typer.Option(help=f"Keras's dtype policy: {', '.join(PRECISIONS)}; mixed on GPUs.")
    ] = PRECISIONS[0],
) -> None:
    """Train a network and add it to the model repository as the next version.

    Ctrl-C stops it; the same command goes on after the last finished epoch. `tensorboard --logdir
    runs` shows how it goes.
    """
    engine = Engine(backend, strategy, precision)
    version = train(name, preset, Places(data, models, runs), pretrained=weights, engine=engine)
    if version is None:
        console.print("Done; the first worker exports.")
    else:
        console.print(f"Exported {version}. Measure it: python -m training evaluate {name}")


@app.command("distill")
def distill_command(  # noqa: PLR0913, PLR0917  # Each argument is an option.
    name: Annotated[str, typer.Argument(help="The student; `list` shows the networks.")] = "mimic",
    teacher: Annotated[str, typer.Option(help="The network to imitate.")] = "cnn_best",
    preset: PresetOption = "full",
    data: DataOption = None,
    models: ModelsOption = MODELS,
    runs: RunsOption = RUNS,
) -> None:
    """Train a network to imitate a trained one, and add it as `train` does.

    The same student without a teacher, to compare it with, is `train student`.
    """
    version = train(name, preset, Places(data, models, runs), teacher)
    console.print(f"Exported {version}. Measure it: python -m training evaluate {name}")


@app.command("list")
def list_command(models: ModelsOption = MODELS) -> None:
    """Show the networks and which versions of them are in the model repository."""
    table = Table("name", "task", "network", "presets", "versions")
    for entry in NETWORKS.values():
        trained = ", ".join(str(version) for version in versions(models, entry.name))
        table.add_row(entry.name, entry.task, entry.summary, ", ".join(entry.recipes), trained)
    console.print(table)


@app.command("export")
def export_command(
    names: Annotated[list[str], typer.Argument(help="Networks; `list` shows them.")],
    models: ModelsOption = MODELS,
) -> None:
    """Add versions with the latest ones' weights and today's tasks, without training."""
    for name in names:
        console.print(f"Exported {export_again(models, name)}")


@app.command("evaluate")
def evaluate_command(
    names: Annotated[list[str] | None, typer.Argument(help="Networks; `list` shows them.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Every network in the repository.")] = False,
    split: Annotated[
        Literal["test", "validation"], typer.Option(help="Choose by `validation` alone.")
    ] = "test",
    data: DataOption = None,
    models: ModelsOption = MODELS,
) -> None:
    """Print how well the latest versions of networks do, as the report's table shows it."""
    if not names and not every:
        raise typer.BadParameter("Name a network, or give --all for every trained one.")
    chosen = trained_networks(models) if every else [find_network(name) for name in names or []]
    examples = load_test(data) if split == "test" else load_training(data)[1]
    console.print(screen_table(report_models(models, chosen, examples, console), examples, split))


@app.command("report")
def report_command(data: DataOption = None, models: ModelsOption = MODELS) -> None:
    """Measure every model in the repository; write its README.md, pictures and model cards."""
    console.print(f"Wrote {write_report(models, load_test(data), console)}")


@app.command("samples")
def samples_command(
    data: DataOption = None,
    folder: Annotated[Path, typer.Option(help="Where the images go.")] = Path(
        "services/gateway/static/samples"
    ),
) -> None:
    """Write the first test image of each class as a PNG."""
    for path in write_samples(folder, load_test(data)):
        console.print(f"Wrote {path}")


@app.command("sweep")
def sweep_command(  # noqa: PLR0913, PLR0917  # Each argument is an option.
    name: NameArgument,
    trials: Annotated[int, typer.Option(min=1, help="Recipes to try, earlier calls' included.")],
    jobs: Annotated[int, typer.Option(min=1, help="Processes side by side.")] = 1,
    preset: PresetOption = "quick",
    data: DataOption = None,
    runs: RunsOption = RUNS,
) -> None:
    """Search for a better recipe, by the loss on the validation split.

    Ctrl-C stops it; the same command goes on with what was tried.
    """
    base = find_network(name).recipe(preset)
    recipe, loss = search(
        Sweep(name, base, load_training(data), runs / f"sweep-{name}"), trials, jobs
    )
    console.print(f"The best validation loss is {loss:.4f}, by")
    console.print(recipe)


@app.command("cascade")
def cascade_command(  # noqa: PLR0913, PLR0917  # Each argument is an option.
    small: Annotated[str, typer.Option(help="The classifier that sees every image.")] = "mimic",
    large: Annotated[str, typer.Option(help="The one that helps where it is unsure.")] = "cnn_best",
    tolerance: Annotated[
        float, typer.Option(min=0, max=1, help="Accuracy that may be given away for speed.")
    ] = 0.001,
    path: Annotated[Path, typer.Option("--out", help="Where the figure goes.")] = Path(
        "models/figures/cascade.png"
    ),
    data: DataOption = None,
    models: ModelsOption = MODELS,
) -> None:
    """Choose a cascade's threshold on the validation split, and measure it on the test set."""
    answers = collect_answers(models, small, large, load_training(data)[1])
    chosen = choose_point(cascade_curve(answers), tolerance)
    tested = run_cascade(collect_answers(models, small, large, load_test(data)), chosen.threshold)
    for split, point in (("validation", chosen), ("test", tested)):
        console.print(
            f"{split}: accuracy {point.accuracy:.4f}, {large} sees {point.escalated:.1%} of the "
            f"images, {point.cost:.1%} of its parameters an image",
            highlight=False,
            soft_wrap=True,
        )
    figure = draw_cascade(answers, chosen, small, large)
    console.print(f"Wrote {save_figure(figure, path)}")
    console.print(f"LECTERN_CASCADES='auto={small}>{large}@{chosen.threshold:g}'", highlight=False)


@app.command("optimizers")
def optimizers_command(
    path: Annotated[Path, typer.Option("--out", help="Where the PNG goes.")] = Path(
        "models/figures/optimizers.png"
    ),
) -> None:
    """Draw the paths of the optimizers down the course's valley."""
    console.print(f"Wrote {draw_optimizer_paths(path)}")


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command line; an error that the user can mend ends it with status 2.

    Args:
        arguments: Instead of the process's own.
    """
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    try:
        app(arguments)
    except (TrainingError, OSError) as error:  # OSError: a folder that cannot be written.
        Console(stderr=True).print(f"Error: {error}", markup=False, highlight=False, soft_wrap=True)
        sys.exit(2)
