"""Rebuilds a model: pixels from 0 to 255 in front, logits at the end, nested models laid open.

The layers are made anew from their configurations and get the weights of the old ones, since a
layer that is called twice has no single output to look at.
"""

from __future__ import annotations

from enum import Enum
from functools import partial
from typing import Any

import keras

from training.errors import KerasModelError
from training.keras_models.pixels import Layers


class Head(Enum):
    """The activation that a network ends in."""

    SOFTMAX = "softmax"
    SIGMOID = "sigmoid"
    LINEAR = "linear"
    OTHER = "other"


def find_head(model: keras.Model) -> Head:
    """Returns the activation at the end of a model; OTHER where its layers do not tell."""
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
    """Returns a functional model from images, 0 to 255, to what a model makes of them.

    Args:
        model: A model of one input, images [N, H, W, C].
        pixels: The layers that bring images into the model's own range.
        image_shape: Height, width and channels of the images.
        takes_off_head: Whether the activation at the end is left out, so that the result ends in
            logits. `find_head` says which one it is.

    Raises:
        KerasModelError: A layer cannot be made from its configuration.
    """
    head = _last_layer(model) if takes_off_head else None
    images = keras.Input(image_shape, name="images")
    outputs = _Rebuilding(head).apply(model, pixels(images))
    return keras.Model(images, outputs, name=model.name)


def append(model: keras.Model, layers: Layers) -> keras.Model:
    """Returns a model with more layers behind it, which share its weights."""
    return keras.Model(model.inputs[0], layers(model.outputs[0]), name=model.name)


def is_transparent(model: keras.Model) -> bool:
    """Tells whether a model is a graph of layers; that of a subclassed model is hidden in code."""
    return isinstance(model, keras.Sequential) or _is_functional(model)


class _Rebuilding:
    """One rebuild; layers that are shared stay shared."""

    def __init__(self, head: keras.Layer | None) -> None:
        self._head = head
        self._made: dict[int, keras.Layer] = {}

    def apply(self, model: keras.Model, tensors: Any) -> Any:
        """Returns the outputs of a model's new layers on tensors."""
        if isinstance(model, keras.Sequential):
            for layer in model.layers:
                tensors = self._call(layer, tensors)
            return tensors
        # Public cloning makes a model of its own, which is not connected to these tensors.
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
        # A subclassed model hides its graph in code; what is no layer is an operation, such as a
        # sum. Both stay as they are.
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
                f"The layer {layer.name!r} ({type(layer).__name__}) cannot be made from its "
                f"configuration: {error!r}. Give it a get_config that its constructor takes."
            ) from error


def _is_functional(model: keras.Model) -> bool:
    # Keras exports no name for the class; a subclass with a call of its own hides its graph.
    return bool(getattr(model, "_functional", None)) or hasattr(model, "_run_through_graph")


_PASSING: tuple[type[keras.Layer], ...] = (keras.layers.Reshape, keras.layers.Flatten)


def _last_layer(model: keras.Model) -> keras.Layer | None:
    """Returns the layer that computes a model's output, behind which nothing but shapes changes."""
    if not is_transparent(model):
        return None
    for layer in reversed(model.layers):
        if isinstance(layer, _PASSING):
            continue
        return _last_layer(layer) if isinstance(layer, keras.Model) else layer
    return None
