"""Searches for a network's best recipe with Optuna, in parallel processes that share a journal."""

from __future__ import annotations

import contextlib
import multiprocessing
import shutil
from concurrent.futures import Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, replace
from pathlib import Path

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState
from rich.progress import Progress

from training.data.fashion_mnist import Split
from training.fitting.fit import fit
from training.fitting.optimizers import OPTIMIZERS
from training.zoo import find_network
from training.zoo.pipeline import evaluation_batches
from training.zoo.recipe import Recipe

# What is searched: settings of `Recipe`, and where.
SEARCH_SPACE: dict[str, optuna.distributions.BaseDistribution] = {
    "optimizer": optuna.distributions.CategoricalDistribution(tuple(OPTIMIZERS)),
    "learning_rate": optuna.distributions.FloatDistribution(1e-4, 3e-2, log=True),
    "weight_decay": optuna.distributions.FloatDistribution(1e-6, 3e-2, log=True),
    "batch_size": optuna.distributions.CategoricalDistribution((64, 128, 256)),
    "augment": optuna.distributions.CategoricalDistribution((False, True)),
}


@dataclass(frozen=True)
class Sweep:
    """What is searched, on which data, and where the search is written down.

    Attributes:
        network: The network's name.
        base: Settings that are not searched, such as the number of epochs.
        splits: What each trial learns from, and what it is judged by: never the test set.
        folder: Holds the journal; a search that finds one goes on from it.
    """

    network: str
    base: Recipe
    splits: tuple[Split, Split]
    folder: Path

    def study(self) -> optuna.Study:
        """Opens the study in the journal, or begins it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return optuna.create_study(
            storage=JournalStorage(JournalFileBackend(str(self.folder / "journal.log"))),
            study_name=f"{self.network}-{self.base.digest()}",
            load_if_exists=True,
        )


def search(sweep: Sweep, trials: int, jobs: int) -> tuple[Recipe, float]:
    """Tries recipes until so many have been finished, those of earlier calls included.

    Args:
        sweep: What is searched.
        trials: How many finished trials there shall be.
        jobs: How many processes try at the same time.

    Returns:
        The best recipe and its validation loss.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = sweep.study()
    finished = len(study.get_trials(states=[TrialState.COMPLETE]))
    context = multiprocessing.get_context("spawn")
    with (
        Progress() as progress,
        ProcessPoolExecutor(max_workers=jobs, mp_context=context) as pool,
    ):
        task = progress.add_task(f"Sweeping {sweep.network}", total=trials, completed=finished)
        futures: list[Future[None]] = []
        for seed in range(finished, trials):
            future = pool.submit(try_one, sweep, seed)
            future.add_done_callback(lambda _: progress.advance(task))
            futures.append(future)
        wait(futures)
    for future in futures:
        future.result()  # Raises what the trial raised.
    best = study.best_trial
    return replace(sweep.base, **best.params), float(best.value or 0.0)


def try_one(sweep: Sweep, seed: int) -> None:
    """Tries the recipe that the search proposes next, and writes down its validation loss.

    Args:
        sweep: What is searched.
        seed: Of the proposal, so that processes that begin together try different recipes.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = sweep.study()
    study.sampler = optuna.samplers.TPESampler(seed=seed)
    trial = study.ask(SEARCH_SPACE)
    with (
        (sweep.folder / f"trial-{trial.number}.log").open("w") as log,
        contextlib.redirect_stdout(log),
    ):
        loss = validation_loss(
            sweep, replace(sweep.base, **trial.params), sweep.folder / f"trial-{trial.number}"
        )
    study.tell(trial, loss)


def validation_loss(sweep: Sweep, recipe: Recipe, run_folder: Path) -> float:
    """Trains a network by a recipe and returns its loss on the validation split.

    Args:
        sweep: What is searched.
        recipe: How to train.
        run_folder: Holds the state of the training; it is deleted in the end.
    """
    objective = find_network(sweep.network).objective
    model = fit(find_network(sweep.network), recipe, sweep.splits, run_folder)
    shutil.rmtree(run_folder)
    model.compile(loss=objective.loss(recipe) if objective.loss else None, jit_compile=False)
    batches = evaluation_batches(sweep.splits[1]).map(objective.prepare)
    return float(model.evaluate(batches, verbose=0, return_dict=True)["loss"])
