"""Searches a network's best recipe with Optuna, in parallel processes that share a journal."""

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

from training.data.batches import evaluation_batches
from training.data.fashion_mnist import Split
from training.fitting.fit import fit
from training.fitting.optimizers import OPTIMIZERS
from training.zoo import find_network
from training.zoo.recipe import Recipe

# The searched settings of `Recipe` and their ranges.
SEARCH_SPACE: dict[str, optuna.distributions.BaseDistribution] = {
    "optimizer": optuna.distributions.CategoricalDistribution(tuple(OPTIMIZERS)),
    "learning_rate": optuna.distributions.FloatDistribution(1e-4, 3e-2, log=True),
    "weight_decay": optuna.distributions.FloatDistribution(1e-6, 3e-2, log=True),
    "batch_size": optuna.distributions.CategoricalDistribution((64, 128, 256)),
    "augment": optuna.distributions.CategoricalDistribution((False, True)),
}


@dataclass(frozen=True)
class Sweep:
    """A hyperparameter search.

    Attributes:
        network: Name of the network.
        base: Settings that are not searched, such as the number of epochs.
        splits: Training and validation set; never the test set.
        folder: Stores the journal. A search that finds one resumes it.
    """

    network: str
    base: Recipe
    splits: tuple[Split, Split]
    folder: Path

    def study(self) -> optuna.Study:
        """Opens the Optuna study in the journal, or creates it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return optuna.create_study(
            storage=JournalStorage(JournalFileBackend(str(self.folder / "journal.log"))),
            study_name=f"{self.network}-{self.base.digest()}",
            load_if_exists=True,
        )


def search(sweep: Sweep, trials: int, jobs: int) -> tuple[Recipe, float]:
    """Tries recipes until a number of trials is complete, including those of earlier calls.

    Args:
        sweep: The search.
        trials: Total number of completed trials.
        jobs: Number of parallel processes.

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
        future.result()  # Raises the exception of a failed trial.
    best = study.best_trial
    return replace(sweep.base, **best.params), float(best.value or 0.0)


def try_one(sweep: Sweep, seed: int) -> None:
    """Runs one trial and records its validation loss.

    Args:
        sweep: The search.
        seed: Seed of the sampler, so that processes that start together try different recipes.
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
    """Trains a network with a recipe and returns its loss on the validation set.

    Args:
        sweep: The search.
        recipe: The training recipe.
        run_folder: Stores the state of the training; deleted at the end.
    """
    objective = find_network(sweep.network).objective
    model = fit(find_network(sweep.network), recipe, sweep.splits, run_folder)
    shutil.rmtree(run_folder)
    model.compile(loss=objective.loss(recipe) if objective.loss else None, jit_compile=False)
    batches = evaluation_batches(sweep.splits[1]).map(objective.prepare)
    return float(model.evaluate(batches, verbose=0, return_dict=True)["loss"])
