from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from training.data import fashion_mnist as data
from training.data.fashion_mnist import Split
from training.fitting.fit import fit
from training.zoo import find_network
from training.zoo.recipe import Recipe

# Keras swaps averaged weights through numpy in a way that numpy 2 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

RECIPE = Recipe(epochs=3, batch_size=32, ema_momentum=0.9)


@pytest.fixture
def splits(tiny_data: Path) -> tuple[Split, Split]:
    return data.load_training(tiny_data)


def interrupt_after_epoch(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    save = keras.callbacks.BackupAndRestore.on_epoch_end

    def save_then_stop(callback: object, epoch: int, logs: object = None) -> None:
        save(callback, epoch, logs)
        if epoch + 1 == number:
            raise KeyboardInterrupt

    monkeypatch.setattr(keras.callbacks.BackupAndRestore, "on_epoch_end", save_then_stop)


def test_an_interrupted_run_goes_on_after_its_last_epoch(
    splits: tuple[Split, Split],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with monkeypatch.context() as interruption:
        interrupt_after_epoch(2, interruption)
        with pytest.raises(KeyboardInterrupt):
            fit(find_network("logistic_regression"), RECIPE, splits, tmp_path)
    assert "Epoch 2/3" in capsys.readouterr().out

    model = fit(find_network("logistic_regression"), RECIPE, splits, tmp_path)

    output = capsys.readouterr().out
    assert "Epoch 3/3" in output
    assert "Epoch 1/3" not in output
    assert "Epoch 2/3" not in output
    assert int(model.optimizer.iterations) == 3 * 7  # 220 images in batches of 32


def test_a_finished_run_gives_the_same_model_again(
    splits: tuple[Split, Split], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = fit(find_network("logistic_regression"), RECIPE, splits, tmp_path)
    capsys.readouterr()

    second = fit(find_network("logistic_regression"), RECIPE, splits, tmp_path)

    assert "Epoch" not in capsys.readouterr().out
    for before, after in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)


def test_tensorboard_shows_each_epoch(splits: tuple[Split, Split], tmp_path: Path) -> None:
    model = fit(find_network("logistic_regression"), RECIPE, splits, tmp_path / "run")

    events = EventAccumulator(str(tmp_path / "logs" / "run" / "validation")).Reload()
    losses = [tf.make_ndarray(event.tensor_proto) for event in events.Tensors("epoch_loss")]
    assert len(losses) == RECIPE.epochs
    np.testing.assert_allclose(losses, model.history.history["val_loss"], rtol=1e-6)


def test_the_moving_average_of_the_weights_is_what_comes_out(
    splits: tuple[Split, Split], tmp_path: Path
) -> None:
    model = fit(find_network("logistic_regression"), RECIPE, splits, tmp_path)

    last = find_network("logistic_regression").build()
    last.load_weights(tmp_path / "latest.weights.h5")
    assert any(
        (average != weight).any()
        for average, weight in zip(model.get_weights(), last.get_weights(), strict=True)
    )


def test_it_stops_early_and_returns_the_best_epoch(
    splits: tuple[Split, Split], tmp_path: Path
) -> None:
    recipe = Recipe(epochs=30, learning_rate=1.0, ema_momentum=None, early_stopping=2)
    model = fit(find_network("logistic_regression"), recipe, splits, tmp_path)

    epochs = int(model.optimizer.iterations) // 2  # 220 images in batches of 128
    best = np.load(tmp_path / "best.npz")
    assert epochs == best["best_epoch"] + 1 + recipe.early_stopping < recipe.epochs
    validation = splits[1]
    loss = model.evaluate(
        validation.images[..., None].astype(np.float32), np.eye(10)[validation.labels], verbose=0
    )[0]
    assert loss == pytest.approx(best["best"].item(), rel=1e-4)


def test_a_student_learns_from_its_teacher(splits: tuple[Split, Split], tmp_path: Path) -> None:
    teacher = find_network("logistic_regression").build()
    teacher.get_layer("logits").bias.assign([9.0] + [0.0] * 9)

    student = fit(find_network("linear_regression"), RECIPE, splits, tmp_path, teacher)

    guesses = student(splits[0].images[..., None].astype(np.float32)).numpy().argmax(axis=1)
    assert (guesses == 0).mean() > (splits[0].labels == 0).mean() + 0.2


def test_the_resnet_takes_a_step_by_its_full_recipe(
    splits: tuple[Split, Split], tmp_path: Path
) -> None:
    recipe = replace(find_network("resnet").recipe("full"), epochs=1, batch_size=len(splits[0]))

    model = fit(find_network("resnet"), recipe, splits, tmp_path)

    assert int(model.optimizer.iterations) == 1
    assert np.isfinite(model.history.history["val_loss"]).all()
