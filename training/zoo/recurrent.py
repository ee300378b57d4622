"""The recurrent classifiers, which read an image row by row."""

from __future__ import annotations

from functools import partial

from training.architectures.recurrent import build_recurrent
from training.objective import CLASSIFICATION
from training.recipe import Recipe
from training.zoo.network import Network
from training.zoo.tasks import classifier_tasks

_RECIPES = {
    "quick": Recipe(epochs=3, ema_momentum=0.99),
    "full": Recipe(epochs=16, learning_rate=4e-3),
}

NETWORKS = [
    Network(
        name=cell,
        task="classification",
        summary=summary,
        build=partial(build_recurrent, cell, units),
        objective=CLASSIFICATION,
        recipes=_RECIPES,
        signatures=classifier_tasks,
    )
    for cell, units, summary in [
        ("rnn", 50, "a simple recurrent cell of 50 units over the 28 rows"),
        ("lstm", 96, "a long short-term memory of 96 units over the 28 rows"),
        ("gru", 96, "a gated recurrent unit of 96 units over the 28 rows"),
    ]
]
