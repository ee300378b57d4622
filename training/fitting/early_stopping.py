"""Early stopping that survives interruptions of the training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np

_COUNTERS = ("best", "best_epoch", "wait")


class EarlyStopping(keras.callbacks.EarlyStopping):  # type: ignore[misc]  # Keras ships no types.
    """Stops when the validation loss no longer decreases, and restores the best weights.

    Keras's callback loses the best epoch when its process ends; this one keeps it in a file.

    Args:
        patience: Epochs without a lower validation loss after which training ends.
        path: The state file, `.npz`. A training that finds it resumes from it.
    """

    def __init__(self, patience: int, path: Path) -> None:
        super().__init__(patience=patience, restore_best_weights=True)
        self._path = path

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Reads the state of an interrupted training."""
        super().on_train_begin(logs)
        if not self._path.exists():
            return
        with np.load(self._path) as state:
            for counter in _COUNTERS:
                setattr(self, counter, state[counter].item())
            count = len(self.model.get_weights())
            self.best_weights = [state[f"weight{index}"] for index in range(count)]

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Updates the state and writes it atomically."""
        super().on_epoch_end(epoch, logs)
        counters = {counter: getattr(self, counter) for counter in _COUNTERS}
        weights = {f"weight{index}": value for index, value in enumerate(self.best_weights)}
        draft = self._path.with_suffix(".partial.npz")
        np.savez(draft, **counters, **weights)
        draft.replace(self._path)
