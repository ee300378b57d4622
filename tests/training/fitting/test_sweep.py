from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import pytest
from optuna.trial import TrialState

from training.data.fashion_mnist import load_training
from training.fitting.sweep import SEARCH_SPACE, Sweep, search, try_one, validation_loss
from training.zoo.recipe import Recipe

NETWORK = "logistic_regression"
BASE = Recipe(epochs=1, ema_momentum=None)


@pytest.fixture
def sweep(tiny_data: Path, tmp_path: Path) -> Sweep:
    return Sweep(NETWORK, BASE, load_training(tiny_data), tmp_path / "sweep")


def test_the_space_is_made_of_a_recipes_settings() -> None:
    settings = {field.name for field in fields(Recipe)}

    assert set(SEARCH_SPACE) < settings
    assert "seed" not in SEARCH_SPACE


def test_processes_share_the_search_and_a_second_call_goes_on(sweep: Sweep) -> None:
    recipe, loss = search(sweep, trials=2, jobs=2)

    trials = sweep.study().get_trials(states=[TrialState.COMPLETE])
    assert len(trials) == 2
    assert loss == min(trial.value for trial in trials)
    assert len({trial.params["learning_rate"] for trial in trials}) == 2
    best = next(trial for trial in trials if trial.value == loss)
    assert recipe == replace(BASE, **best.params)

    again = search(sweep, trials=2, jobs=2)
    assert again == (recipe, loss)
    assert len(sweep.study().trials) == 2


def test_a_trial_writes_down_the_validation_loss_of_its_recipe(
    sweep: Sweep, tmp_path: Path
) -> None:
    try_one(sweep, seed=0)

    (trial,) = sweep.study().trials
    expected = validation_loss(sweep, replace(BASE, **trial.params), tmp_path / "run")
    assert trial.value == pytest.approx(expected, rel=1e-3)
    assert "val_loss" in (sweep.folder / "trial-0.log").read_text()
