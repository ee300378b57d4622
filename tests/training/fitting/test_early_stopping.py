from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from training.fitting.early_stopping import EarlyStopping


@pytest.fixture
def model() -> keras.Model:
    """One weight, so that an epoch can be told by it."""
    return keras.Sequential(
        [keras.Input([1]), keras.layers.Dense(1, use_bias=False, name="weight")], name="one"
    )


def run(callback: EarlyStopping, model: keras.Model, losses: dict[int, float]) -> None:
    """Plays epochs with these validation losses; the weight is the number of the epoch."""
    callback.set_model(model)
    callback.on_train_begin()
    for epoch, loss in losses.items():
        model.set_weights([np.full((1, 1), epoch)])
        callback.on_epoch_end(epoch, {"val_loss": loss})


def test_the_best_epoch_survives_an_interruption(model: keras.Model, tmp_path: Path) -> None:
    path = tmp_path / "best.npz"
    run(EarlyStopping(3, path), model, {0: 0.9, 1: 0.5, 2: 0.6})

    resumed = EarlyStopping(3, path)
    run(resumed, model, {3: 0.7})
    assert not getattr(model, "stop_training", False)
    resumed.on_epoch_end(4, {"val_loss": 0.8})
    resumed.on_train_end()

    assert model.stop_training
    assert resumed.best_epoch == 1
    assert model.get_weights()[0].item() == 1


def test_a_better_epoch_after_an_interruption_counts(model: keras.Model, tmp_path: Path) -> None:
    path = tmp_path / "best.npz"
    run(EarlyStopping(2, path), model, {0: 0.9, 1: 0.5})

    resumed = EarlyStopping(2, path)
    run(resumed, model, {2: 0.6, 3: 0.4, 4: 0.45})
    resumed.on_train_end()

    assert model.get_weights()[0].item() == 3


def test_without_a_file_it_begins_anew(model: keras.Model, tmp_path: Path) -> None:
    run(EarlyStopping(2, tmp_path / "best.npz"), model, {0: 0.9})

    assert [path.name for path in tmp_path.iterdir()] == ["best.npz"]
