"""Rebuilds a model to take pixels from 0 to 255, end in logits, and contain no nested models.

New layers are created from the configurations of the old ones and get their weights, since a layer
that is called twice does not have a single output.
"""

from __future__ import annotations

from enum import Enum
from functools import partial
from typing import Any

import keras

from training.errors import KerasModelError
from training.keras_models.pixels import Layers


class Head(Enum):
    """The activation at the end of a network."""

    SOFTMAX = "softmax"
    SIGMOID = "sigmoid"
    LINEAR = "linear"
    OTHER = "other"


def find_head(model: keras.Model) -> Head:
    """Returns the activation at the end of a model; OTHER if its layers do not show it."""
    layer = _last_layer(model)
    if layer is None:
        return Head.OTHER
    if isinstance(layer, keras.layers.Softmax):
        return Head.SOFTMAX
    activation = getattr(layer, "activation", None)
    if activation is None:
        return Head.OTHER
    name = keras.activations.serialize(activation)
    return Head(name) if name in {head.value for head in Head} else Head.OTHER


def rebuild(
    model: keras.Model,
    pixels: Layers,
    image_shape: tuple[int, int, int],
    *,
    takes_off_head: bool = False,
) -> keras.Model:
    """Returns a functional model that takes images from 0 to 255 and computes a model's outputs.

    Args:
        model: A model with one input, images [N, H, W, C].
        pixels: The layers that convert images into the model's pixel range.
        image_shape: Height, width and channels of the images.
        takes_off_head: Whether to remove the activation at the end, which `find_head` returns, so
            that the result ends in logits.

    Raises:
        KerasModelError: A layer cannot be created from its configuration.
    """
    head = _last_layer(model) if takes_off_head else None
    images = keras.Input(image_shape, name="images")
    outputs = _Rebuilding(head).apply(model, pixels(images))
    return keras.Model(images, outputs, name=model.name)


def take_off_head(model: keras.Model) -> keras.Model:
    """Returns a model that ends in logits and shares the other layers.

    That is the model itself if its layers do not show a softmax or sigmoid at the end.
    """
    layer = _last_layer(model)
    has_head = find_head(model) in {Head.SOFTMAX, Head.SIGMOID}
    if layer is None or not has_head or layer not in model.layers:
        return model
    if isinstance(layer, keras.layers.Softmax):
        return keras.Model(model.input, layer.input, name=model.name)
    linear = type(layer).from_config({**layer.get_config(), "activation": "linear"})
    outputs = linear(layer.input)
    linear.set_weights(layer.get_weights())
    return keras.Model(model.input, outputs, name=model.name)


def prepend(model: keras.Model, layers: Layers, image_shape: tuple[int, int, int]) -> keras.Model:
    """Returns a model with layers in front of it; it shares the weights of the original."""
    images = keras.Input(image_shape, name="images")
    inputs = keras.tree.pack_sequence_as(model.input, [layers(images)])
    return keras.Model(images, keras.tree.flatten(model(inputs))[0], name=model.name)


def append(model: keras.Model, layers: Layers) -> keras.Model:
    """Returns a model extended by more layers; it shares the weights of the original."""
    return keras.Model(model.inputs[0], layers(model.outputs[0]), name=model.name)


def is_transparent(model: keras.Model) -> bool:
    """Returns whether a model is a graph of layers, unlike a subclassed model."""
    return isinstance(model, keras.Sequential) or _is_functional(model)


class _Rebuilding:
    """One rebuild of a model; layers that are shared stay shared."""

    def __init__(self, head: keras.Layer | None) -> None:
        self._head = head
        self._made: dict[int, keras.Layer] = {}

    def apply(self, model: keras.Model, tensors: Any) -> Any:
        """Applies a model's new layers to tensors, and returns the outputs."""
        if isinstance(model, keras.Sequential):
            for layer in model.layers:
                tensors = self._call(layer, tensors)
            return tensors
        # `clone_model` would create a separate model, not connected to these tensors.
        return model._run_through_graph(
            keras.tree.pack_sequence_as(model.input, keras.tree.flatten(tensors)),
            operation_fn=lambda layer: partial(self._call, layer),
        )

    def _call(self, layer: keras.Layer, *args: Any, **kwargs: Any) -> Any:
        if isinstance(layer, keras.layers.InputLayer):
            return args[0] if args else layer.output
        if layer is self._head and isinstance(layer, keras.layers.Softmax):
            return args[0]
        if isinstance(layer, keras.Model) and is_transparent(layer) and len(args) == 1:
            return self.apply(layer, args[0])
        # Subclassed models, and operations that are not layers, such as a sum, are not rebuilt.
        if isinstance(layer, keras.Model) or not isinstance(layer, keras.Layer):
            return layer(*args, **kwargs)
        return self._call_copy(layer, *args, **kwargs)

    def _call_copy(self, layer: keras.Layer, *args: Any, **kwargs: Any) -> Any:
        if id(layer) in self._made:
            return self._made[id(layer)](*args, **kwargs)
        made = self._made[id(layer)] = self._make(layer)
        outputs = made(*args, **kwargs)
        made.set_weights(layer.get_weights())
        return outputs

    def _make(self, layer: keras.Layer) -> keras.Layer:
        config = layer.get_config()
        if layer is self._head:
            config["activation"] = "linear"
        try:
            return type(layer).from_config(config)
        except Exception as error:
            raise KerasModelError(
                f"The layer {layer.name!r} ({type(layer).__name__}) cannot be created from its "
                f"configuration: {error!r}. Give it a get_config that its constructor takes."
            ) from error


def _is_functional(model: keras.Model) -> bool:
    # Keras has no public name for the class; subclasses that override `call` have no graph.
    return bool(getattr(model, "_functional", None)) or hasattr(model, "_run_through_graph")


_PASSING: tuple[type[keras.Layer], ...] = (keras.layers.Reshape, keras.layers.Flatten)


def _last_layer(model: keras.Model) -> keras.Layer | None:
    """Returns the layer that computes a model's output, ignoring changes of its shape."""
    if not is_transparent(model):
        return None
    for layer in reversed(model.layers):
        if isinstance(layer, _PASSING):
            continue
        return _last_layer(layer) if isinstance(layer, keras.Model) else layer
    return None
