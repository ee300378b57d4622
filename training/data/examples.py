"""Examples to train and measure networks on, of any kind of data."""

from __future__ import annotations

from typing import Any, Protocol

import numpy.typing as npt


class Examples(Protocol):
    """A training, validation or test set."""

    def __len__(self) -> int:
        """Returns the number of examples."""

    def tensors(self) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        """Returns the inputs and the targets, [N, ...] each."""
