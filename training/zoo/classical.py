"""Classifiers without convolutions: linear models, the kernel SVM and the perceptron."""

from __future__ import annotations

from functools import partial

from training.architectures.linear import build_kernel_svm, build_linear
from training.architectures.mlp import build_mlp
from training.zoo.network import Network
from training.zoo.objective import CLASSIFICATION, LEAST_SQUARES, MARGIN
from training.zoo.recipe import Recipe
from training.zoo.tasks import classifier_tasks

_LINEAR_QUICK = Recipe(epochs=5, weight_decay=0, ema_momentum=0.99)

NETWORKS = [
    Network(
        name="linear_regression",
        task="classification",
        summary="one linear layer, least squares on one-hot targets",
        build=partial(build_linear, "linear_regression"),
        objective=LEAST_SQUARES,
        recipes={
            "quick": _LINEAR_QUICK,
            "full": Recipe(epochs=40, learning_rate=1e-3, weight_decay=0, batch_size=256),
        },
        signatures=classifier_tasks,
    ),
    Network(
        name="logistic_regression",
        task="classification",
        summary="one linear layer, softmax cross-entropy",
        build=partial(build_linear, "logistic_regression"),
        objective=CLASSIFICATION,
        recipes={
            "quick": _LINEAR_QUICK,
            "full": Recipe(epochs=40, learning_rate=1e-3, weight_decay=0, batch_size=256),
        },
        signatures=classifier_tasks,
    ),
    Network(
        name="svm",
        task="classification",
        summary="one linear layer, hinge loss of each class against the others, L2",
        build=partial(build_linear, "svm", l2=1e-6),
        objective=MARGIN,
        recipes={
            "quick": _LINEAR_QUICK,
            "full": Recipe(epochs=30, learning_rate=1e-2, weight_decay=0, batch_size=256),
        },
        signatures=classifier_tasks,
    ),
    Network(
        name="kernel_svm",
        task="classification",
        summary="the SVM on 4,096 random Fourier features of the Gaussian kernel",
        build=build_kernel_svm,
        objective=MARGIN,
        recipes={
            "quick": Recipe(epochs=3, weight_decay=0, ema_momentum=0.99),
            "full": Recipe(epochs=20, learning_rate=5e-2, weight_decay=0, batch_size=256),
        },
        signatures=classifier_tasks,
    ),
    Network(
        name="mlp",
        task="classification",
        summary="the multilayer perceptron: hidden layers of 512 and 256 with dropout",
        build=build_mlp,
        objective=CLASSIFICATION,
        recipes={
            "quick": Recipe(epochs=3, ema_momentum=0.99),
            "full": Recipe(epochs=40, learning_rate=1e-3, weight_decay=1e-2),
        },
        signatures=classifier_tasks,
    ),
]
