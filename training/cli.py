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
    collect_predictions,
    draw_cascade,
    run_cascade,
)
from training.evaluation.evaluate import trained_networks
from training.evaluation.figure import save_figure
from training.evaluation.optimizer_paths import draw_optimizer_paths
from training.exporting.repository import versions
from training.fitting.execution import BACKENDS, PRECISIONS, Execution
from training.fitting.sweep import Sweep, search
from training.fitting.train import Folders, export_again, train
from training.report.report import write_report
from training.report.reported_model import report_models
from training.report.table import screen_table
from training.zoo import NETWORKS, find_network

app = typer.Typer(
    help="Trains networks on Fashion-MNIST and exports them for a model server.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
console = Console()

NameArgument = Annotated[str, typer.Argument(help="Name of a network; see `list`.")]
ModelsOption = Annotated[Path, typer.Option("--models", help="The model repository.")]
DataOption = Annotated[
    Path | None,
    typer.Option(
        "--data",
        envvar="FASHION_MNIST_DIR",
        help="Folder with the four files of Fashion-MNIST. Default: the folder of the Debian "
        "package, else Keras's cache, else a download.",
    ),
]
PresetOption = Annotated[
    str, typer.Option(help="Recipe: `quick` for a trial, `full` for the best quality.")
]
RunsOption = Annotated[Path, typer.Option(help="Folder with the state of unfinished runs.")]
MODELS = Path("models")
RUNS = Path("runs")


@app.command("train")
def train_command(  # noqa: PLR0913, PLR0917  # Command-line options.
    name: NameArgument,
    preset: PresetOption = "full",
    data: DataOption = None,
    models: ModelsOption = MODELS,
    runs: RunsOption = RUNS,
    weights: Annotated[
        str | None,
        typer.Option(
            help="Weights of frozen layers: `imagenet`, `hed` or a VGG16 .weights.h5 file."
        ),
    ] = None,
    backend: Annotated[
        str, typer.Option(help=f"Keras backend for training: {', '.join(BACKENDS)}.")
    ] = BACKENDS[0],
    strategy: Annotated[
        str | None,
        typer.Option(
            help="`mirrored` for several GPUs, `multiworker` for the workers in TF_CONFIG, "
            "`model_parallel` with `--backend jax`."
        ),
    ] = None,
    precision: Annotated[
        str, typer.Option(help=f"Keras dtype policy: {', '.join(PRECISIONS)}.")
    ] = PRECISIONS[0],
) -> None:
    """Train a network and add it to the model repository as the next version.

    Ctrl-C stops the training; the same command resumes it after the last complete epoch.
    `tensorboard --logdir runs` shows its progress.
    """
    folders, execution = Folders(data, models, runs), Execution(backend, strategy, precision)
    version = train(name, preset, folders, pretrained=weights, execution=execution)
    if version is None:
        console.print("Done. The first worker exports the model.")
    else:
        console.print(f"Exported {version}. Measure it: python -m training evaluate {name}")


@app.command("distill")
def distill_command(  # noqa: PLR0913, PLR0917  # Command-line options.
    name: Annotated[str, typer.Argument(help="Name of the student; see `list`.")] = "mimic",
    teacher: Annotated[str, typer.Option(help="Name of the network to distil from.")] = "cnn_best",
    preset: PresetOption = "full",
    data: DataOption = None,
    models: ModelsOption = MODELS,
    runs: RunsOption = RUNS,
) -> None:
    """Distil a trained network into a smaller one, and export that as `train` does.

    For comparison, `train student` trains the same network without a teacher.
    """
    version = train(name, preset, Folders(data, models, runs), teacher)
    console.print(f"Exported {version}. Measure it: python -m training evaluate {name}")


@app.command("list")
def list_command(models: ModelsOption = MODELS) -> None:
    """List the networks and their versions in the model repository."""
    table = Table("name", "task", "network", "presets", "versions")
    for entry in NETWORKS.values():
        trained = ", ".join(str(version) for version in versions(models, entry.name))
        table.add_row(entry.name, entry.task, entry.summary, ", ".join(entry.recipes), trained)
    console.print(table)


@app.command("export")
def export_command(
    names: Annotated[list[str], typer.Argument(help="Names of networks; see `list`.")],
    models: ModelsOption = MODELS,
) -> None:
    """Export the latest weights again, with the current signatures, as new versions."""
    for name in names:
        console.print(f"Exported {export_again(models, name)}")


@app.command("evaluate")
def evaluate_command(
    names: Annotated[
        list[str] | None, typer.Argument(help="Names of networks; see `list`.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All networks in the repository.")] = False,
    split: Annotated[
        Literal["test", "validation"], typer.Option(help="Use `validation` to compare choices.")
    ] = "test",
    data: DataOption = None,
    models: ModelsOption = MODELS,
) -> None:
    """Print the quality, size and latency of the latest versions of networks."""
    if not names and not every:
        raise typer.BadParameter("Expected names of networks, or --all for all trained networks.")
    chosen = trained_networks(models) if every else [find_network(name) for name in names or []]
    examples = load_test(data) if split == "test" else load_training(data)[1]
    console.print(screen_table(report_models(models, chosen, examples, console), examples, split))


@app.command("report")
def report_command(data: DataOption = None, models: ModelsOption = MODELS) -> None:
    """Measure all models in the repository, and write README.md, figures and model cards."""
    console.print(f"Wrote {write_report(models, load_test(data), console)}")


@app.command("samples")
def samples_command(
    data: DataOption = None,
    folder: Annotated[Path, typer.Option(help="Destination folder.")] = Path(
        "services/gateway/static/samples"
    ),
) -> None:
    """Write the first test image of each class as a PNG."""
    for path in write_samples(folder, load_test(data)):
        console.print(f"Wrote {path}")


@app.command("sweep")
def sweep_command(  # noqa: PLR0913, PLR0917  # Command-line options.
    name: NameArgument,
    trials: Annotated[int, typer.Option(min=1, help="Trials, including those of earlier calls.")],
    jobs: Annotated[int, typer.Option(min=1, help="Number of parallel processes.")] = 1,
    preset: PresetOption = "quick",
    data: DataOption = None,
    runs: RunsOption = RUNS,
) -> None:
    """Search for a better recipe, by the loss on the validation set.

    Ctrl-C stops the search; the same command resumes it.
    """
    base = find_network(name).recipe(preset)
    recipe, loss = search(
        Sweep(name, base, load_training(data), runs / f"sweep-{name}"), trials, jobs
    )
    console.print(f"The best validation loss is {loss:.4f}, with the recipe")
    console.print(recipe)


@app.command("cascade")
def cascade_command(  # noqa: PLR0913, PLR0917  # Command-line options.
    small: Annotated[str, typer.Option(help="The classifier that sees every image.")] = "mimic",
    large: Annotated[
        str, typer.Option(help="The classifier for images below the threshold.")
    ] = "cnn_best",
    tolerance: Annotated[
        float, typer.Option(min=0, max=1, help="Accuracy that may be lost, as a share.")
    ] = 0.001,
    path: Annotated[Path, typer.Option("--out", help="Path of the figure.")] = Path(
        "models/figures/cascade.png"
    ),
    data: DataOption = None,
    models: ModelsOption = MODELS,
) -> None:
    """Choose the threshold of a cascade on the validation set, and measure it on the test set."""
    predictions = collect_predictions(models, small, large, load_training(data)[1])
    chosen = choose_point(cascade_curve(predictions), tolerance)
    tested = run_cascade(
        collect_predictions(models, small, large, load_test(data)), chosen.threshold
    )
    for split, point in (("validation", chosen), ("test", tested)):
        console.print(
            f"{split}: accuracy {point.accuracy:.4f}, {large} sees {point.escalated:.1%} of the "
            f"images, {point.cost:.1%} of its parameters per image",
            highlight=False,
            soft_wrap=True,
        )
    figure = draw_cascade(predictions, chosen, small, large)
    console.print(f"Wrote {save_figure(figure, path)}")
    console.print(f"LECTERN_CASCADES='auto={small}>{large}@{chosen.threshold:g}'", highlight=False)


@app.command("optimizers")
def optimizers_command(
    path: Annotated[Path, typer.Option("--out", help="Path of the PNG file.")] = Path(
        "models/figures/optimizers.png"
    ),
) -> None:
    """Draw the paths of optimizers on the course's test function."""
    console.print(f"Wrote {draw_optimizer_paths(path)}")


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command line. Errors that the user can fix exit with status 2.

    Args:
        arguments: Arguments; None takes those of the process.
    """
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    try:
        app(arguments)
    except (TrainingError, OSError) as error:  # OSError: for example, a folder is not writable.
        Console(stderr=True).print(f"Error: {error}", markup=False, highlight=False, soft_wrap=True)
        sys.exit(2)
