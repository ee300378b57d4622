"""The convolutional classifiers."""

from __future__ import annotations

from training.architectures.cnn import build_cnn
from training.objective import CLASSIFICATION
from training.recipe import Recipe
from training.zoo.network import Network
from training.zoo.tasks import convolutional_tasks

NETWORKS = [
    Network(
        name="cnn",
        task="classification",
        summary="the course's first CNN: convolutions of 32, 64 and 64, a dense layer of 64",
        build=build_cnn,
        objective=CLASSIFICATION,
        recipes={
            "quick": Recipe(epochs=3, ema_momentum=0.99),
            "full": Recipe(epochs=40, augment=True),
        },
        signatures=convolutional_tasks,
    ),
]
