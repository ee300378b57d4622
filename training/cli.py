"""The command line: `python -m training --help`.

Each command imports its modules when it runs, so that `--help` is fast.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console

from training import figure_commands
from training.errors import TrainingError

if TYPE_CHECKING:
    from training.fitting.execution import Execution
    from training.fitting.train import Training
    from training.zoo.network import Network
    from training.zoo.ported import PortedNetwork

app = typer.Typer(
    help="Trains networks on Fashion-MNIST or a text and exports them for a model server.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(figure_commands.app, name="figure", help="Draw one figure of the course.")
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
TextOption = Annotated[
    Path | None,
    typer.Option(
        "--text",
        help="UTF-8 file for networks of texts. Default: the King James Bible of the Debian "
        "package bible-kjv.",
    ),
]
PresetOption = Annotated[
    str,
    typer.Option(
        help="Recipe: `full` for the best quality; `quick` for a trial, published as NAME_try."
    ),
]
RunsOption = Annotated[Path, typer.Option(help="Folder with the state of unfinished runs.")]
PublishedNameOption = Annotated[
    str | None,
    typer.Option(
        "--name",
        help="Name of the model in the repository, such as NAME_try. Default: the network's name.",
    ),
]
PublishWorseOption = Annotated[
    bool,
    typer.Option(
        "--publish-worse", help="Publish the network even if it is worse than the latest version."
    ),
]
MODELS = Path("models")
RUNS = Path("runs")


@app.command("train")
def train_command(  # noqa: PLR0913, PLR0917  # Command-line options.
    network: NameArgument,
    preset: PresetOption = "full",
    name: PublishedNameOption = None,
    publish_worse: PublishWorseOption = False,
    data: DataOption = None,
    text: TextOption = None,
    models: ModelsOption = MODELS,
    runs: RunsOption = RUNS,
    weights: Annotated[
        str | None,
        typer.Option(
            help="Weights of frozen layers: `imagenet`, `hed` or a VGG16 .weights.h5 file."
        ),
    ] = None,
    backend: Annotated[
        str, typer.Option(help="Keras backend for training: tensorflow, jax or torch.")
    ] = "tensorflow",
    strategy: Annotated[
        str | None,
        typer.Option(
            help="`mirrored` for several GPUs, `multiworker` for the workers in TF_CONFIG, "
            "`parameter_server` for the chief, workers and servers (ps) in TF_CONFIG, "
            "`model_parallel` with `--backend jax`."
        ),
    ] = None,
    precision: Annotated[
        str, typer.Option(help="Keras dtype policy: float32, mixed_float16 or mixed_bfloat16.")
    ] = "float32",
) -> None:
    """Train a network and add it to the model repository as the next version.

    The time that it takes is estimated after the first steps. Ctrl-C stops the training; the same
    command resumes it after the last complete epoch. `tensorboard --logdir runs` shows its
    progress. A network that is worse than the latest version, on the validation set, is not
    published.
    """
    from training.fitting.execution import Execution
    from training.fitting.train import Folders, plan_training

    execution = Execution(backend, strategy, precision)
    folders = Folders(data, models, runs, text)
    training = plan_training(network, preset, folders, name, pretrained=weights)
    _train(training, execution, publish_worse)


@app.command("distill")
def distill_command(  # noqa: PLR0913, PLR0917  # Command-line options.
    network: Annotated[str, typer.Argument(help="Name of the student; see `list`.")] = "mimic",
    teacher: Annotated[str, typer.Option(help="Name of the network to distil from.")] = "cnn_best",
    preset: PresetOption = "full",
    name: PublishedNameOption = None,
    publish_worse: PublishWorseOption = False,
    data: DataOption = None,
    models: ModelsOption = MODELS,
    runs: RunsOption = RUNS,
) -> None:
    """Distil a trained network into a smaller one, and export that as `train` does.

    For comparison, `train student` trains the same network without a teacher.
    """
    from training.fitting.execution import ONE_DEVICE
    from training.fitting.train import Folders, plan_training

    training = plan_training(network, preset, Folders(data, models, runs), name, teacher)
    _train(training, ONE_DEVICE, publish_worse)


def _train(training: Training, execution: Execution, publish_worse: bool) -> None:
    from training.data.fashion_mnist import Split
    from training.evaluation.evaluate import stored_network
    from training.fitting.train import train
    from training.report.model_cards import write_card
    from training.report.reported_model import report_models
    from training.report.text_models import report_text_model, write_text_card

    console.print(f"{training}.", highlight=False, soft_wrap=True)
    trained = train(training, execution, publish_worse)
    if trained is None:
        console.print("Done. The first worker exports the model.")
        return
    version, comparison = trained
    name, validation = training.name, training.splits[1]
    network = stored_network(training.models, name)
    if isinstance(validation, Split):
        [model] = report_models(training.models, [network], validation, console)
        write_card(model, validation, "validation")
    else:
        text_model = report_text_model(training.models, network, validation)
        write_text_card(text_model, "validation")
    lines = [
        f"Exported {version}: {comparison}.",
        f"Measure it on the test set: python -m training evaluate {name}",
    ]
    if comparison.replaced is not None:
        withdrawn = version.with_name(f"withdrawn-{version.name}")
        lines.append(f"Return to version {comparison.replaced.name}: mv {version} {withdrawn}")
    for line in lines:
        console.print(line, highlight=False, soft_wrap=True)


@app.command("port")
def port_command(
    name: Annotated[str, typer.Argument(help="Name of a network with preset `port`; see `list`.")],
    photographs: Annotated[
        Path, typer.Option(help="Folder of JPEG files to compare it with its original on.")
    ] = Path("services/gateway/static/samples/photographs"),
    models: ModelsOption = MODELS,
) -> None:
    """Export a network with the weights of its original, in PyTorch, as the next version.

    It needs an environment with PyTorch; the error says which packages are missing.
    """
    from training.porting.port import port
    from training.report.ported_models import write_ported_card

    version = port(models, name, photographs)
    write_ported_card(version)
    console.print(f"Exported {version}. Its card says how far it agrees with the original.")


@app.command("list")
def list_command(models: ModelsOption = MODELS) -> None:
    """List the networks and their versions in the model repository."""
    from rich.table import Table

    from training.exporting.repository import versions
    from training.zoo import NETWORKS
    from training.zoo.ported import PORTED

    table = Table("name", "network", "presets", "versions")
    table.columns[0].no_wrap = True
    rows: list[tuple[Network | PortedNetwork, str]] = [
        *((entry, ", ".join(entry.recipes)) for entry in NETWORKS.values()),
        *((entry, "port") for entry in PORTED.values()),
    ]
    for entry, presets in rows:
        found = ", ".join(str(version) for version in versions(models, entry.name))
        table.add_row(entry.name, f"{entry.task}: {entry.summary}", presets, found)
    console.print(table)


@app.command("export")
def export_command(
    names: Annotated[list[str], typer.Argument(help="Names of models in the repository.")],
    models: ModelsOption = MODELS,
) -> None:
    """Export the latest weights again, with the current signatures, as new versions."""
    from training.fitting.train import export_again

    for name in names:
        console.print(f"Exported {export_again(models, name)}")


@app.command("evaluate")
def evaluate_command(  # noqa: PLR0913, PLR0917  # Command-line options.
    names: Annotated[
        list[str] | None, typer.Argument(help="Names of models in the repository.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All networks in the repository.")] = False,
    split: Annotated[
        Literal["test", "validation"], typer.Option(help="Use `validation` to compare choices.")
    ] = "test",
    images: Annotated[
        Path | None,
        typer.Option(help="For models of your own: a folder with a folder of images per label."),
    ] = None,
    data: DataOption = None,
    text: TextOption = None,
    models: ModelsOption = MODELS,
) -> None:
    """Print the quality, size and latency of the latest versions of models.

    With --images, print the accuracy of classifiers on your own images.
    """
    if not names and not every:
        raise typer.BadParameter("Expected names of networks, or --all for all trained networks.")
    if images is not None:
        if not names:
            raise typer.BadParameter("Expected names of models beside --images.")
        _evaluate_on_images(names, models, images)
        return
    from training.data.dataset import FASHION_MNIST
    from training.data.fashion_mnist import load_test, load_training
    from training.evaluation.evaluate import stored_network, trained_networks
    from training.report.reported_model import report_models
    from training.report.table import screen_table

    if every:
        chosen = trained_networks(models)
    else:
        chosen = [stored_network(models, name) for name in names or []]
    of_images = [network for network in chosen if network.dataset is FASHION_MNIST]
    if of_images:
        examples = load_test(data) if split == "test" else load_training(data)[1]
        reported = report_models(models, of_images, examples, console)
        console.print(screen_table(reported, examples, split))
    for network in chosen:
        if network not in of_images:
            _evaluate_on_text(models, network, split, text)


def _evaluate_on_text(models: Path, network: Network, split: str, text: Path | None) -> None:
    from training.report.table import quality, size
    from training.report.text_models import report_text_model

    if split == "test":
        examples = network.dataset.load_test(text)
    else:
        examples = network.dataset.load_training(text)[1]
    model = report_text_model(models, network, examples)
    console.print(
        f"{model.version}: {split} {quality(model)}, {model.measurement.parameters:,} parameters, "
        f"{size(model)}, {model.latency.single:.2f} ms",
        highlight=False,
        soft_wrap=True,
    )


def _evaluate_on_images(names: Sequence[str], models: Path, images: Path) -> None:
    from training.evaluation.labelled_images import measure_labelled_images
    from training.exporting.repository import latest_version

    for name in names:
        version = latest_version(models, name)
        accuracy = measure_labelled_images(version, images)
        console.print(
            f"{version}: accuracy {accuracy.top_1:.4f}, among the five most probable labels "
            f"{accuracy.top_5:.4f}, on {accuracy.count} images",
            highlight=False,
            soft_wrap=True,
        )


@app.command("report")
def report_command(
    data: DataOption = None, text: TextOption = None, models: ModelsOption = MODELS
) -> None:
    """Measure all networks in the repository, and write README.md, figures and model cards."""
    from training.data.fashion_mnist import load_test
    from training.report.report import write_report

    console.print(f"Wrote {write_report(models, load_test(data), console, text)}")


@app.command("samples")
def samples_command(
    data: DataOption = None,
    folder: Annotated[Path, typer.Option(help="Destination folder.")] = Path(
        "services/gateway/static/samples"
    ),
) -> None:
    """Write the first test image of each class as a PNG."""
    from training.data.fashion_mnist import load_test
    from training.data.samples import write_samples

    for path in write_samples(folder, load_test(data)):
        console.print(f"Wrote {path}")


@app.command("sweep")
def sweep_command(  # noqa: PLR0913, PLR0917  # Command-line options.
    name: NameArgument,
    trials: Annotated[int, typer.Option(min=1, help="Trials, including those of earlier calls.")],
    jobs: Annotated[int, typer.Option(min=1, help="Number of parallel processes.")] = 1,
    preset: Annotated[str, typer.Option(help="The recipe to vary.")] = "quick",
    data: DataOption = None,
    runs: RunsOption = RUNS,
) -> None:
    """Search for a better recipe, by the loss on the validation set.

    Ctrl-C stops the search; the same command resumes it.
    """
    from training.data.fashion_mnist import load_training
    from training.fitting.sweep import Sweep, search
    from training.zoo import find_network

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
    from training.data.fashion_mnist import load_test, load_training
    from training.evaluation.cascade import (
        cascade_curve,
        choose_point,
        collect_predictions,
        draw_cascade,
        run_cascade,
    )
    from training.evaluation.figure import save_figure

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


@app.command("ngram")
def ngram_command(
    order: Annotated[int, typer.Option(min=1, help="Length of the longest n-gram.")] = 5,
    text: TextOption = None,
) -> None:
    """Measure an n-gram model of characters, the baseline of the networks of texts."""
    from training.data.text import load_test_text, load_training_text
    from training.evaluation.ngram import NGram

    training, validation = load_training_text(text)
    model = NGram(training, order)
    for split, examples in (("validation", validation), ("test", load_test_text(text))):
        bits = model.bits_per_character(examples)
        console.print(f"{split}: {bits:.4f} bits per character", highlight=False)


@app.command("optimizers")
def optimizers_command(
    path: Annotated[Path, typer.Option("--out", help="Path of the PNG file.")] = Path(
        "models/figures/optimizers.png"
    ),
) -> None:
    """Draw the paths of optimizers on the course's test function."""
    from training.evaluation.optimizer_paths import draw_optimizer_paths

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
