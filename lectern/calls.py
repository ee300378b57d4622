"""`lectern models`, `predict`, `explain` and `generate`: call a running gateway."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image
from rich.console import Console
from rich.table import Table
from rich.text import Text

from services.client import ClassProbability, Client


def show_models(console: Console, client: Client) -> None:
    """Prints the served models."""
    table = Table("model", "versions", "tasks")
    for model in client.models():
        versions = ", ".join(f"{each.version} {each.state}" for each in model.versions)
        table.add_row(model.name, versions, ", ".join(model.tasks))
    console.print(table)


def show_predictions(
    console: Console, client: Client, model: str, images: Sequence[Path], top: int
) -> None:
    """Prints the most probable classes of each image."""
    table = Table("image", "label", "probability")
    for path, prediction in zip(images, client.predict(model, images, top=top), strict=True):
        for rank, each in enumerate(prediction.top):
            label = each.label if each.label is not None else str(each.class_index)
            table.add_row("" if rank else str(path), label, _certainty(each))
    console.print(table)


def _certainty(each: ClassProbability) -> str:
    """Returns the probability of a class, or its score if the model computes no probabilities."""
    if each.probability is None and each.score is not None:
        return f"score {each.score:.4g}"
    return _format(each.probability, ".1%")


def _format(number: float | None, form: str) -> str:
    return "not finite" if number is None else format(number, form)


def write_saliency(  # noqa: PLR0913, PLR0917
    console: Console,
    client: Client,
    model: str,
    images: Sequence[Path],
    method: str | None,
    class_index: int,
    score: bool,
    folder: Path,
) -> None:
    """Writes a picture of each image with its saliency map over it."""
    folder.mkdir(parents=True, exist_ok=True)
    maps = client.saliency(model, images, method=method, class_index=class_index, score=score)
    for path, saliency in zip(images, maps, strict=True):
        with Image.open(path) as image:
            picture = overlay(image, np.asarray(saliency.attribution))
        target = folder / f"{path.stem}-{saliency.method}.png"
        picture.save(target)
        details = f"class {saliency.class_index}"
        if saliency.scores:
            details += f", deletion {_format(saliency.scores.deletion, '.3f')}"
            details += f", insertion {_format(saliency.scores.insertion, '.3f')}"
        console.print(f"Wrote {target} ({details})", highlight=False, soft_wrap=True)


def show_text(  # noqa: PLR0913, PLR0917
    console: Console, client: Client, model: str, prompt: str, seed: int, temperature: float
) -> None:
    """Prints a prompt, in bold on a terminal, and its continuation."""
    [continuation] = client.generate_text(model, prompt, seed=seed, temperature=temperature)
    text = Text.assemble((prompt, "bold"), continuation.text)
    console.print(text, soft_wrap=True)


def overlay(image: Image.Image, attribution: npt.NDArray[np.floating]) -> Image.Image:
    """Returns an image in grey, with the attribution in red (for the class) and blue (against it).

    Args:
        image: An image of any size.
        attribution: [H, W]; scaled to the image's size.
    """
    strongest = np.percentile(np.abs(attribution), 99) or 1.0
    heat = np.clip(attribution / strongest, -1, 1).astype(np.float32)
    heat = np.asarray(Image.fromarray(heat).resize(image.size, Image.Resampling.BILINEAR))
    grey = np.asarray(image.convert("L"), np.float32)[..., np.newaxis]
    colour = np.where(heat[..., np.newaxis] > 0, [214, 39, 40], [31, 119, 180])
    strength = np.abs(heat)[..., np.newaxis] * 0.8
    blended = grey * (1 - strength) + colour * strength
    return Image.fromarray(blended.astype(np.uint8))
