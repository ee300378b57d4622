"""Chooses the tasks to export for a Keras model, with the reasons for leaving out the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import keras
import tensorflow as tf

from training.errors import KerasModelError
from training.keras_models.labels import IMAGENET, numbered_labels, read_labels
from training.keras_models.pixels import find_pixels
from training.keras_models.reading import Source
from training.keras_models.rebuilding import Head, append, find_head, is_transparent, rebuild
from training.signatures.activations import activations
from training.signatures.class_labels import class_labels
from training.signatures.compress import compress, decompress
from training.signatures.feature_maps import feature_maps
from training.signatures.feature_visualization import feature_visualization
from training.signatures.generate import generate
from training.signatures.latent import decode_latent
from training.signatures.predict import predict, predict_bytes
from training.signatures.predict_tensors import predict_tensors
from training.signatures.reconstruct import reconstruct
from training.signatures.saliency import (
    saliency_gradcam,
    saliency_gradient,
    saliency_integrated_gradients,
    saliency_smoothgrad,
)
from training.signatures.signature import Signature

SMALL_IMAGE = 64
"""Side length in pixels up to which running a network many times is cheap."""


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
        signatures: One signature for each task.
        skipped: The tasks that are left out, each with the reason.
        reference: The user's own model, which takes images from 0 to 255, to compare the export
            with; None if the model takes no images.
        compared_output: The output of `serving_default` that must equal the reference's.
    """

    kind: str
    signatures: list[Signature] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    reference: keras.Model | None = None
    compared_output: str = ""


class _Effort(NamedTuple):
    """Number of network runs for the averaging saliency methods, and how many run at once."""

    noisy_copies: int
    path_steps: int
    at_once: int


def plan_export(source: Source, options: Options) -> Plan:
    """Returns the contents of an export of a model.

    Raises:
        KerasModelError: The options do not fit the model, or a required option is missing.
    """
    model = source.model
    if len(model.inputs) == len(model.outputs) == 1:
        takes_images, gives_images = _is_image(model.inputs[0]), _is_image(model.outputs[0])
        if takes_images and len(model.outputs[0].shape) == 2:
            return _plan_classifier(source, options)
        if takes_images and model.output_shape[1:] == model.input_shape[1:]:
            return _plan_autoencoder(source, options)
        if gives_images and len(model.inputs[0].shape) == 2:
            return _plan_generator(source, options)
    _refuse_labels(options)
    return _plan_tensors(model, "the model is not an image classifier, autoencoder or generator")


def _is_image(tensor: keras.KerasTensor) -> bool:
    return len(tensor.shape) == 4 and tensor.shape[-1] in {1, 3, 4}


def _refuse_labels(options: Options) -> None:
    if options.labels:
        raise KerasModelError(
            "Received --labels, which is for image classifiers. This model is not one: leave it "
            "out."
        )


def _plan_tensors(model: keras.Model, reason: str) -> Plan:
    skipped = dict.fromkeys(["labels", "saliency", "activations", "visualize"], reason)
    return Plan("model of tensors", [predict_tensors(model)], skipped)


def _plan_classifier(source: Source, options: Options) -> Plan:
    model = source.model
    head = find_head(model)
    is_logits = (
        options.logits
        or source.family is not None
        or (head is Head.LINEAR and bool(options.labels))
    )
    if head not in {Head.SOFTMAX, Head.SIGMOID} and not is_logits:
        _refuse_labels(options)
        return _plan_tensors(
            model,
            f"the model ends in {head.value} numbers of unknown meaning; if they are the logits of "
            "classes, add --logits or --labels",
        )
    pixels = find_pixels(model, options.pixels, source.family)
    shape = _image_shape(model, options.image_size)
    logits = rebuild(model, pixels.layers, shape, takes_off_head=not is_logits)
    count = logits.output_shape[-1]
    if count == 1:
        logits, count = append(logits, _against_zero), 2
    labels = _labels(source, options, count)
    is_multi_label = head is Head.SIGMOID and model.output_shape[-1] > 1
    plan = Plan("multi-label classifier" if is_multi_label else "classifier")
    plan.reference = rebuild(model, pixels.layers, shape)
    plan.compared_output = "logits" if is_logits else "probabilities"
    activation = tf.nn.sigmoid if is_multi_label else tf.nn.softmax
    _add_predictions(plan, logits, labels, activation)
    _add_saliency(plan, logits)
    _add_inside(plan, logits, options.visualize)
    return plan


def _image_shape(model: keras.Model, asked: tuple[int, int] | None) -> tuple[int, int, int]:
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


def _against_zero(logits: keras.KerasTensor) -> keras.KerasTensor:
    """Converts the logit of one class to logits of two, whose softmax equals its sigmoid."""
    return keras.ops.concatenate([keras.ops.zeros_like(logits), logits], axis=-1)


def _labels(source: Source, options: Options, count: int) -> list[str]:
    if options.labels:
        return read_labels(options.labels, count)
    return read_labels(IMAGENET, count) if source.has_imagenet_classes else numbered_labels(count)


def _add_predictions(
    plan: Plan,
    logits: keras.Model,
    labels: Sequence[str],
    activation: Callable[[tf.Tensor], tf.Tensor],
) -> None:
    plan.signatures += [predict(logits, labels, activation), class_labels(labels)]
    if logits.input_shape[-1] == 2:
        plan.skipped["predict_bytes"] = "no image file has two channels"
    else:
        plan.signatures.append(predict_bytes(logits, labels, activation))


def _add_saliency(plan: Plan, logits: keras.Model) -> None:
    effort = _effort(logits.input_shape)
    plan.signatures += [
        saliency_gradient(logits),
        saliency_smoothgrad(logits, effort.noisy_copies, at_once=effort.at_once),
        saliency_integrated_gradients(logits, effort.path_steps, at_once=effort.at_once),
    ]


def _effort(input_shape: tuple[int, ...]) -> _Effort:
    if max(input_shape[1:3]) <= SMALL_IMAGE:
        return _Effort(noisy_copies=32, path_steps=128, at_once=128)
    return _Effort(noisy_copies=8, path_steps=32, at_once=4)


def _add_inside(plan: Plan, logits: keras.Model, visualize: Sequence[str] | None) -> None:
    """Adds Grad-CAM, activations and feature visualization, if the layers are accessible."""
    if any(isinstance(layer, keras.Model) for layer in logits.layers):
        reason = "its layers are hidden in the code of a subclassed model"
        plan.skipped.update(dict.fromkeys(["saliency_gradcam", "activations", "visualize"], reason))
        return
    maps = [layer for layer in feature_maps(logits) if len(layer.output.shape) == 4]
    if maps:
        plan.signatures.append(saliency_gradcam(logits, maps[-1].name))
    else:
        plan.skipped["saliency_gradcam"] = "the model shows no convolution"
    plan.signatures.append(activations(logits))
    layers = _visualized(plan, logits, maps, visualize)
    plan.signatures += [feature_visualization(logits, layer.name) for layer in layers]


def _visualized(
    plan: Plan,
    logits: keras.Model,
    maps: Sequence[keras.Layer],
    asked: Sequence[str] | None,
) -> Sequence[keras.Layer]:
    if asked is not None:
        known = {layer.name: layer for layer in logits.layers}
        if unknown := sorted(set(asked) - known.keys()):
            raise KerasModelError(f"The model has no layers {unknown}; it has {', '.join(known)}.")
        return [known[name] for name in asked]
    if max(logits.input_shape[1:3]) > SMALL_IMAGE:
        plan.skipped["visualize"] = (
            "64 forward and backward passes at this image size are slow; choose layers with "
            "--visualize"
        )
        return []
    return maps


def _plan_autoencoder(source: Source, options: Options) -> Plan:
    _refuse_labels(options)
    model = source.model
    halves = _halves(model, options.encoder)
    pixels = find_pixels(model, options.pixels, source.family)
    if pixels.to_images is None:
        raise KerasModelError(
            f"Received --pixels {options.pixels}, expected 0..255, 0..1 or -1..1: an autoencoder's "
            "output has the same pixel range as its input."
        )
    shape = _image_shape(model, options.image_size)
    whole = append(rebuild(model, pixels.layers, shape), pixels.to_images)
    plan = Plan("autoencoder", [reconstruct(whole)], reference=whole, compared_output="images")
    if halves is None:
        reason = "no layers are named encoder and decoder; name the code's layer with --encoder"
        plan.skipped.update(dict.fromkeys(["compress", "decompress"], reason))
        return plan
    encoder, decoder = halves
    if len(encoder.output_shape) != 2:
        plan.skipped.update(
            dict.fromkeys(
                ["compress", "decompress"], f"the code is {encoder.output_shape}, not [N, K]"
            )
        )
        return plan
    plan.signatures += [
        compress(rebuild(encoder, pixels.layers, shape)),
        decompress(append(decoder, pixels.to_images)),
    ]
    return plan


def _halves(model: keras.Model, encoder: str | None) -> tuple[keras.Model, keras.Model] | None:
    """Returns the encoder and the decoder of an autoencoder, or None if they cannot be found."""
    by_name = {layer.name: layer for layer in model.layers}
    if encoder is not None:
        if encoder not in by_name:
            raise KerasModelError(f"The model has no layer {encoder}; it has {', '.join(by_name)}.")
        # Rebuilt, so that every layer has one output.
        opened = rebuild(model, lambda images: images, model.input_shape[1:])
        code = opened.get_layer(encoder).output
        return keras.Model(opened.inputs[0], code), keras.Model(code, opened.outputs[0])
    found = by_name.get("encoder"), by_name.get("decoder")
    if all(isinstance(half, keras.Model) and is_transparent(half) for half in found):
        return found
    return None


def _plan_generator(source: Source, options: Options) -> Plan:
    _refuse_labels(options)
    pixels = find_pixels(source.model, options.pixels, source.family)
    if pixels.to_images is None:
        raise KerasModelError("Expected --pixels 0..255, 0..1 or -1..1: the range of the images.")
    decoder = append(source.model, pixels.to_images)
    return Plan("generator", [predict_tensors(decoder), decode_latent(decoder), generate(decoder)])
