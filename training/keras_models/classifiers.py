"""The tasks of classifiers of images."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import keras
import tensorflow as tf

from training.errors import KerasModelError
from training.keras_models.labels import IMAGENET, numbered_labels, read_labels
from training.keras_models.pixels import find_pixels
from training.keras_models.plan import Options, Plan, image_shape, refuse_labels
from training.keras_models.reading import Source
from training.keras_models.rebuilding import (
    Head,
    append,
    find_head,
    prepend,
    rebuild,
)
from training.keras_models.tensors import plan_tensors
from training.signatures.activations import activations
from training.signatures.class_labels import class_labels
from training.signatures.feature_maps import feature_maps, last_features
from training.signatures.feature_visualization import feature_visualization
from training.signatures.predict import predict, predict_bytes
from training.signatures.saliency import (
    saliency_gradcam,
    saliency_gradient,
    saliency_integrated_gradients,
    saliency_smoothgrad,
)

SMALL_IMAGE = 64
"""Side length in pixels up to which running a network many times is cheap."""
MEMORY = 96 * 2**20
"""Bytes that the outputs of all layers may take for the images that are processed at once."""


class _Effort(NamedTuple):
    """Number of network runs for the averaging saliency methods, and how many run at once."""

    noisy_copies: int
    path_steps: int
    at_once: int


def plan_classifier(source: Source, options: Options) -> Plan:
    """Returns the contents of an export of a model from images to a vector per image.

    Raises:
        KerasModelError: The options do not fit the model, or a required option is missing.
    """
    model = source.model
    head = find_head(model)
    is_logits = (
        options.logits
        or source.family is not None
        or (head is Head.LINEAR and bool(options.labels))
    )
    if head not in {Head.SOFTMAX, Head.SIGMOID} and not is_logits:
        refuse_labels(options)
        return plan_tensors(
            model,
            f"the model ends in {head.value} numbers of unknown meaning; if they are the logits of "
            "classes, add --logits or --labels",
        )
    pixels = find_pixels(model, options.pixels, source.family)
    shape = image_shape(model, options.image_size)
    logits = rebuild(model, pixels.layers, shape, takes_off_head=not is_logits)
    count = logits.output_shape[-1]
    if count == 1:
        logits, count = append(logits, _against_zero), 2
    labels = _labels(source, options, count)
    is_multi_label = head is Head.SIGMOID and model.output_shape[-1] > 1
    plan = Plan(
        "multi-label classifier" if is_multi_label else "classifier",
        reference=prepend(model, pixels.layers, shape),
        compared_outputs=["logits" if is_logits else "probabilities"],
        labels=labels,
    )
    activation = tf.nn.sigmoid if is_multi_label else tf.nn.softmax
    _add_predictions(plan, logits, labels, activation)
    _add_saliency(plan, logits)
    _add_inside(plan, logits, options.visualize)
    return plan


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
    effort = _effort(logits)
    plan.signatures += [
        saliency_gradient(logits),
        saliency_smoothgrad(logits, effort.noisy_copies, at_once=effort.at_once),
        saliency_integrated_gradients(logits, effort.path_steps, at_once=effort.at_once),
    ]


def _effort(logits: keras.Model) -> _Effort:
    if max(logits.input_shape[1:3]) <= SMALL_IMAGE:
        return _Effort(noisy_copies=32, path_steps=128, at_once=128)
    tensors = [each for layer in logits.layers for each in keras.tree.flatten(layer.output)]
    per_image = sum(4 * math.prod(size or 1 for size in each.shape) for each in tensors)
    at_once = next(count for count in (8, 4, 2, 1) if count == 1 or count * per_image <= MEMORY)
    return _Effort(noisy_copies=8, path_steps=32, at_once=at_once)


def _add_inside(plan: Plan, logits: keras.Model, visualize: Sequence[str] | None) -> None:
    """Adds Grad-CAM, activations and feature visualization, if the layers are accessible."""
    if any(isinstance(layer, keras.Model) for layer in logits.layers):
        reason = "its layers are hidden in the code of a subclassed model"
        plan.skipped.update(dict.fromkeys(["saliency_gradcam", "activations", "visualize"], reason))
        return
    maps = [layer for layer in feature_maps(logits) if len(layer.output.shape) == 4]
    explained = last_features(logits)
    if explained is not None:
        plan.signatures.append(saliency_gradcam(logits, explained.name))
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
