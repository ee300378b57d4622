"""Recurrent classifiers, which read an image row by row."""

from __future__ import annotations

from functools import partial

from training.architectures.recurrent import build_recurrent
from training.zoo.network import Network
from training.zoo.objective import CLASSIFICATION
from training.zoo.recipe import Recipe
from training.zoo.tasks import classifier_tasks

_QUICK = Recipe(epochs=3, ema_momentum=0.99)
_GATED = Recipe(epochs=16, learning_rate=4e-3)
# Without gates, gradients through 28 rows explode at the learning rate of the gated cells.
_SIMPLE = Recipe(epochs=40, learning_rate=1e-3)

NETWORKS = [
    Network(
        name=cell,
        task="classification",
        summary=summary,
        build=partial(build_recurrent, cell, units),
        objective=CLASSIFICATION,
        recipes={"quick": _QUICK, "full": full},
        signatures=classifier_tasks,
    )
    for cell, units, full, summary in [
        ("rnn", 50, _SIMPLE, "a simple recurrent cell of 50 units over the 28 rows"),
        ("lstm", 96, _GATED, "a long short-term memory of 96 units over the 28 rows"),
        ("gru", 96, _GATED, "a gated recurrent unit of 96 units over the 28 rows"),
    ]
]
