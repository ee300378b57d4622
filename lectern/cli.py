"""The commands. Each imports its modules when it runs, so that `--help` is fast."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

if TYPE_CHECKING:
    from services.client import Client

app = typer.Typer(
    help="From a Keras model to a served, explained service.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
console = Console()

MODELS = Path("models")
GATEWAY = "http://127.0.0.1:8080"

ModelsOption = Annotated[Path, typer.Option("--models", help="The model repository.")]
NameArgument = Annotated[str, typer.Argument(help="A served model.", metavar="MODEL")]
ImagesArgument = Annotated[list[Path], typer.Argument(help="Image files.", metavar="IMAGE...")]
UrlOption = Annotated[str, typer.Option("--url", help="The gateway.", envvar="LECTERN_URL")]
KeyOption = Annotated[
    str | None,
    typer.Option(
        "--api-key", help="The API key, if the gateway requires one.", envvar="LECTERN_API_KEY"
    ),
]


@app.command()
def export(  # noqa: PLR0913, PLR0917  # Each argument is an option.
    source: Annotated[
        str,
        typer.Argument(
            help="A .keras or .h5 file, a .weights.h5 file with --builder, or keras:NAME.",
            metavar="MODEL",
        ),
    ],
    name: Annotated[str, typer.Option(help="The model's name in the repository and in URLs.")],
    labels: Annotated[
        str | None,
        typer.Option(help="Class names: a text file with one per line, .json, .csv, or imagenet."),
    ] = None,
    pixels: Annotated[
        str | None,
        typer.Option(
            help="The range that the network was trained on: 0..255, 0..1, -1..1, imagenet, caffe, "
            "or a family of keras.applications. Not needed if the model rescales images itself."
        ),
    ] = None,
    models: ModelsOption = MODELS,
    weights: Annotated[
        str | None, typer.Option(help="Of keras:NAME: imagenet, or a file. Default: random.")
    ] = None,
    builder: Annotated[
        str | None, typer.Option(help="module:function that builds a .weights.h5 file's model.")
    ] = None,
    custom: Annotated[
        str | None, typer.Option(help="A module that registers custom layers with Keras.")
    ] = None,
    logits: Annotated[bool, typer.Option("--logits", help="The model ends in logits.")] = False,
    encoder: Annotated[
        str | None, typer.Option(help="The layer of an autoencoder that gives the code.")
    ] = None,
    image_size: Annotated[
        str | None, typer.Option(help="HEIGHTxWIDTH, for a model that takes images of any size.")
    ] = None,
    visualize: Annotated[
        list[str] | None, typer.Option(help="A layer to visualize; repeat for more.")
    ] = None,
) -> None:
    """Export a Keras model with every task that fits it, as the next version in the repository."""
    from lectern.export import export_model

    export_model(
        console,
        models,
        name,
        source,
        weights=weights,
        builder=builder,
        custom=custom,
        labels=labels,
        pixels=pixels,
        logits=logits,
        encoder=encoder,
        image_size=image_size,
        visualize=visualize,
    )


@app.command()
def serve(
    models: Annotated[Path, typer.Argument(help="The model repository.")] = MODELS,
) -> None:
    """Start the model server, the gateway and the studio on a model repository.

    Ports come from the environment: GATEWAY_PORT (8080), GRPC_PORT (8500), REST_PORT (8501).
    """
    os.execv(sys.executable, [sys.executable, "-m", "services", str(models)])


@app.command()
def check(
    model: Annotated[Path, typer.Argument(help="A model's folder, such as models/flowers.")],
) -> None:
    """Show the tasks of an exported model, their costs, and the missing tasks."""
    from lectern.check import check_model

    check_model(console, model)


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    add_help_option=False,
)
def train(context: typer.Context) -> None:
    """Train one of the course's networks; takes the arguments of `python -m training train`."""
    command = [sys.executable, "-m", "training", "train", *context.args]
    os.execv(sys.executable, command)


@app.command("models")
def list_models(url: UrlOption = GATEWAY, api_key: KeyOption = None) -> None:
    """List the models that a gateway serves, with their versions and tasks."""
    from lectern.calls import show_models

    with _client(url, api_key) as client:
        show_models(console, client)


@app.command()
def predict(
    model: NameArgument,
    images: ImagesArgument,
    top: Annotated[int, typer.Option(min=1, help="Number of classes to show per image.")] = 5,
    url: UrlOption = GATEWAY,
    api_key: KeyOption = None,
) -> None:
    """Classify images with a running gateway."""
    from lectern.calls import show_predictions

    with _client(url, api_key) as client:
        show_predictions(console, client, model, images, top)


@app.command()
def explain(  # noqa: PLR0913, PLR0917  # Each argument is an option.
    model: NameArgument,
    images: ImagesArgument,
    method: Annotated[
        str | None,
        typer.Option(
            help="gradient, smoothgrad, integrated_gradients or gradcam, if the model was exported "
            "with it; occlusion or rise for every model. Default: gradient, or occlusion."
        ),
    ] = None,
    class_index: Annotated[int, typer.Option(help="The class; -1 for the most probable.")] = -1,
    score: Annotated[
        bool, typer.Option("--score", help="Measure how faithful the map is.")
    ] = False,
    out: Annotated[Path, typer.Option(help="The folder for the pictures.")] = Path(),
    url: UrlOption = GATEWAY,
    api_key: KeyOption = None,
) -> None:
    """Write each image with its saliency map over it, computed by a running gateway."""
    from lectern.calls import write_saliency

    with _client(url, api_key) as client:
        write_saliency(console, client, model, images, method, class_index, score, out)


@app.command()
def generate(  # noqa: PLR0913, PLR0917  # Each argument is an option.
    model: NameArgument,
    prompt: Annotated[str, typer.Option(help="The text to continue.")] = "",
    seed: Annotated[int, typer.Option(help="The same seed gives the same text.")] = 0,
    temperature: Annotated[
        float,
        typer.Option(min=0, max=10, help="Low for typical text, high for unusual text."),
    ] = 1.0,
    url: UrlOption = GATEWAY,
    api_key: KeyOption = None,
) -> None:
    """Continue a text with a running gateway; prints the prompt and its continuation."""
    from lectern.calls import show_text

    with _client(url, api_key) as client:
        show_text(console, client, model, prompt, seed, temperature)


def _client(url: str, api_key: str | None) -> Client:
    from services.client import Client

    return Client(url, api_key=api_key)


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command line; an error that the user can fix ends it with exit status 2.

    Args:
        arguments: Command-line arguments; by default those of the process.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # Read while TensorFlow is imported.
    try:
        app(arguments)
    except Exception as error:
        if not _is_the_users(error):
            raise
        Console(stderr=True).print(f"Error: {error}", markup=False, highlight=False, soft_wrap=True)
        sys.exit(2)


def _is_the_users(error: Exception) -> bool:
    """Returns whether the user can fix an error; compares names, since its class may be absent."""
    names = {base.__name__ for base in type(error).__mro__}
    return bool(names & {"TrainingError", "GatewayError", "OSError"})
