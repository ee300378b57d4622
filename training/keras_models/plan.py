"""The contents of an export, and the options that decide them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import keras

from training.errors import KerasModelError
from training.signatures.signature import Signature


@dataclass(frozen=True)
class Options:
    """Options of a user for what the model's file does not say.

    Attributes:
        labels: A file of labels, or `imagenet`.
        pixels: The pixel range that the network was trained on.
        logits: Whether the model ends in logits, since its last layer does not show that.
        encoder: The layer of an autoencoder whose output is the code.
        image_size: Height and width of the images, for a model that takes any size.
        visualize: The layers for feature visualization; None for an automatic choice.
    """

    labels: str | None = None
    pixels: str | None = None
    logits: bool = False
    encoder: str | None = None
    image_size: tuple[int, int] | None = None
    visualize: Sequence[str] | None = None


@dataclass
class Plan:
    """The contents of an export.

    Attributes:
        kind: Kind of the model, such as classifier.
        reference: The user's own model, to compare the export with. If it takes images, they are
            from 0 to 255.
        compared_outputs: The outputs of `serving_default` that must equal the reference's.
        signatures: One signature for each task.
        skipped: The tasks that are left out, each with the reason.
        labels: Names of the classes of a classifier.
    """

    kind: str
    reference: keras.Model
    compared_outputs: Sequence[str]
    signatures: list[Signature] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    labels: Sequence[str] = ()


def image_shape(model: keras.Model, asked: tuple[int, int] | None) -> tuple[int, int, int]:
    """Returns height, width and channels of the images that the export takes."""
    *size, channels = model.input_shape[1:]
    if None not in size:
        if asked is not None and list(asked) != size:
            raise KerasModelError(
                f"Received --image-size {asked[0]}x{asked[1]}; the model takes images of "
                f"{size[0]}x{size[1]}: leave it out."
            )
        return (*size, channels)
    if asked is None:
        raise KerasModelError(
            "The model takes images of any size. Give the size to export, to which all images are "
            "resized: --image-size HEIGHTxWIDTH."
        )
    return (*asked, channels)


def refuse_labels(options: Options) -> None:
    """Raises an error if labels were given, for a model that is not a classifier of images.

    Raises:
        KerasModelError: They were.
    """
    if options.labels:
        raise KerasModelError(
            "Received --labels, which is for image classifiers. This model is not one: leave it "
            "out."
        )


def shape_text(tensor: keras.KerasTensor) -> str:
    """Returns the shape of a tensor, such as `[N, 10]`."""
    return f"[{', '.join('N' if size is None else str(size) for size in tensor.shape)}]"
