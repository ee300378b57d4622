"""Reads a Keras model: a file, a builder function with weights, or a keras.applications network."""

from __future__ import annotations

import importlib
import inspect
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import keras

from training.errors import KerasModelError

APPLICATION = "keras:"
_FILES = (".keras", ".h5", ".hdf5")
_WEIGHTS = ".weights.h5"


class Source(NamedTuple):
    """A model with information from its source.

    Attributes:
        model: The model, which is functional.
        family: The `keras.applications` module that preprocesses its images, such as
            `mobilenet_v2`; None if the model is not from keras.applications.
        has_imagenet_classes: Whether its classes are the 1,000 of ImageNet.
    """

    model: keras.Model
    family: str | None = None
    has_imagenet_classes: bool = False


def read_model(
    source: str,
    *,
    builder: str | None = None,
    weights: str | None = None,
    custom: str | None = None,
) -> Source:
    """Reads a model.

    Args:
        source: A `.keras` or `.h5` file; a `.weights.h5` file, with `builder`; or `keras:NAME`, a
            network of `keras.applications`.
        builder: `module:function`, which builds the model that a `.weights.h5` file belongs to.
        weights: Weights of a `keras:NAME` network: `imagenet`, a file, or None for random weights.
        custom: A module that registers custom layers with Keras when it is imported.

    Raises:
        KerasModelError: The source cannot be read; the message says how to fix it.
    """
    _refuse_unused(source, builder, weights)
    if custom is not None:
        _import_module(custom)
    if source.startswith(APPLICATION):
        return _application(source.removeprefix(APPLICATION), weights)
    path = Path(source)
    if not path.is_file():
        raise KerasModelError(
            f"There is no file {source}; expected a .keras or .h5 file, or {APPLICATION}NAME for "
            "a network of keras.applications."
        )
    if source.endswith(_WEIGHTS):
        return Source(_built(path, builder))
    if path.suffix not in _FILES:
        raise KerasModelError(
            f"Received {source}; expected a file that ends in .keras, .h5 or {_WEIGHTS}."
        )
    return Source(_loaded(path))


def _refuse_unused(source: str, builder: str | None, weights: str | None) -> None:
    if weights is not None and not source.startswith(APPLICATION):
        raise KerasModelError(
            f"Received --weights {weights}, which are those of a {APPLICATION}NAME network; "
            f"{source} has weights of its own: leave it out."
        )
    if builder is not None and not source.endswith(_WEIGHTS):
        raise KerasModelError(
            f"Received --builder {builder}, which builds the network of a {_WEIGHTS} file; "
            f"{source} is not one: leave it out."
        )


def _loaded(path: Path) -> keras.Model:
    try:
        model = keras.models.load_model(path, compile=False)
    except Exception as error:
        raise KerasModelError(f"{path} cannot be loaded: {_reason(error)}") from error
    return _checked(model, str(path))


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split())
    if "Could not locate class" in text or "Unknown layer" in text or "Unknown object" in text:
        return (
            f"it has a custom layer that is not known here ({text[:200]}). Register the layer with "
            "@keras.saving.register_keras_serializable() and name its module with --custom."
        )
    return f"{text[:500]} Expected a model that Keras {keras.__version__} can load."


def _built(weights: Path, builder: str | None) -> keras.Model:
    if builder is None:
        raise KerasModelError(
            f"{weights} contains weights without a network. Name the function that builds it with "
            "--builder module:function."
        )
    model = _checked(_call(_find_function(builder), builder), builder)
    try:
        with warnings.catch_warnings():
            # Keras only warns of layers for which the file has no weights.
            warnings.simplefilter("error", UserWarning)
            model.load_weights(weights)
    except (ValueError, OSError, KeyError, UserWarning) as error:
        text = " ".join(str(error).split())[:500]
        raise KerasModelError(f"{weights} does not fit the model of {builder}: {text}") from error
    return model


def _find_function(builder: str) -> Callable[[], Any]:
    module_name, separator, name = builder.partition(":")
    if not separator:
        raise KerasModelError(f"Received --builder {builder}; expected module:function.")
    function = getattr(_import_module(module_name), name, None)
    if not callable(function):
        raise KerasModelError(f"The module {module_name} has no function {name}.")
    return function  # type: ignore[no-any-return]


def _import_module(name: str) -> Any:
    if "" not in sys.path:
        sys.path.insert(0, "")
    try:
        return importlib.import_module(name.removesuffix(".py").replace("/", "."))
    except ImportError as error:
        raise KerasModelError(
            f"The module {name} cannot be imported ({error}); expected one that Python finds from "
            "this folder."
        ) from error


def _call(function: Callable[[], Any], builder: str) -> Any:
    try:
        return function()
    except Exception as error:
        raise KerasModelError(
            f"{builder} failed: {error!r}; it is called without arguments."
        ) from error


def _checked(model: Any, source: str) -> keras.Model:
    if not isinstance(model, keras.Model):
        raise KerasModelError(f"{source} gave {type(model).__name__}; expected a keras.Model.")
    if isinstance(model, keras.Sequential) and model.built:
        return keras.Model(model.inputs[0], model.outputs[0], name=model.name)
    if getattr(model, "inputs", None):
        return model
    halves = getattr(model, "encoder", None), getattr(model, "decoder", None)
    if all(isinstance(half, keras.Model) and half.built for half in halves):
        return _joined(*halves, name=model.name)
    shapes = list((getattr(model, "_build_shapes_dict", None) or {}).values())
    if len(shapes) != 1 or not shapes[0]:
        raise KerasModelError(
            f"The model of {source} does not say which shape its input has: call it once, or build "
            "it with build(input_shape), before saving it."
        )
    # A subclassed model becomes the only layer of a functional model.
    inputs = keras.Input(batch_shape=shapes[0], name="inputs")
    return keras.Model(inputs, model(inputs), name=model.name)


def _joined(encoder: keras.Model, decoder: keras.Model, name: str) -> keras.Model:
    """Returns a model of an encoder and a decoder, which get these names as its layers.

    Variational autoencoders are often subclassed models with a training step of their own that are
    never called as a whole. Their encoder outputs mean, log variance, and a sample.
    """
    [images] = encoder.inputs
    encoder = keras.Model(images, encoder.outputs, name="encoder")
    decoder = keras.Model(decoder.inputs[0], decoder.outputs[0], name="decoder")
    code, *_ = encoder(images)
    return keras.Model(images, decoder(code), name=name)


def _application(name: str, weights: str | None) -> Source:
    build = getattr(keras.applications, name, None)
    if not inspect.isfunction(build):
        known = sorted(
            name for name, value in vars(keras.applications).items() if inspect.isfunction(value)
        )
        raise KerasModelError(f"keras.applications has no {name}. Known: {', '.join(known)}.")
    family = build.__module__.rpartition(".")[2]
    try:
        model = build(weights=weights, classifier_activation=None)
    except Exception as error:
        raise KerasModelError(
            f"The weights {weights!r} of {name} cannot be loaded: "
            f"{' '.join(str(error).split())[:300]} "
            "Give --weights a file, or leave it out for random weights."
        ) from error
    return Source(model, family, has_imagenet_classes=model.output_shape[-1] == 1000)
