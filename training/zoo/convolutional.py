"""Convolutional classifiers."""

from __future__ import annotations

from functools import partial

from training.architectures.cnn import build_cnn, build_cnn_batchnorm, build_cnn_regularized
from training.architectures.resnet import build_cnn_best, build_resnet
from training.architectures.transfer import FEATURES, build_transfer
from training.zoo.network import Network
from training.zoo.objective import CLASSIFICATION
from training.zoo.recipe import Recipe
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
    Network(
        name="cnn_batchnorm",
        task="classification",
        summary="the same with batch normalization before each activation",
        build=build_cnn_batchnorm,
        objective=CLASSIFICATION,
        recipes={
            "quick": Recipe(epochs=3, ema_momentum=0.99),
            "full": Recipe(epochs=14, augment=True),
        },
        signatures=convolutional_tasks,
    ),
    Network(
        name="cnn_regularized",
        task="classification",
        summary="four convolutions, normalized, with dropout, averaged over image and mirror",
        build=build_cnn_regularized,
        objective=CLASSIFICATION,
        recipes={
            "quick": Recipe(epochs=3, ema_momentum=None, early_stopping=2),
            "full": Recipe(
                epochs=45, augment=True, weight_decay=1e-2, ema_momentum=None, early_stopping=12
            ),
        },
        signatures=partial(convolutional_tasks, flip_averaging=True),
    ),
    Network(
        name="cnn_best",
        task="classification",
        summary="a residual network of 48, 96 and 160 channels, averaged over image and mirror",
        build=build_cnn_best,
        objective=CLASSIFICATION,
        recipes={
            "quick": Recipe(epochs=1, ema_momentum=0.99),
            "full": Recipe(
                epochs=24,
                learning_rate=3e-3,
                weight_decay=2e-2,
                augment=True,
                label_smoothing=0.05,
            ),
        },
        signatures=partial(convolutional_tasks, flip_averaging=True),
    ),
    Network(
        name="resnet",
        task="classification",
        summary="ResNet-20, with random erasing, averaged over image and flip",
        build=build_resnet,
        objective=CLASSIFICATION,
        recipes={
            "quick": Recipe(epochs=1, ema_momentum=0.99),
            "full": Recipe(
                epochs=120,
                optimizer="nesterov",
                learning_rate=0.1,
                # Ten times that of Zhong et al., who add it to the gradient, where a momentum of
                # 0.9 accumulates it to ten times as much.
                weight_decay=5e-3,
                augment=True,
                max_shift=4,
                random_erasing=0.5,
                label_smoothing=0.05,
            ),
        },
        signatures=partial(convolutional_tasks, flip_averaging=True),
    ),
    Network(
        name="transfer",
        task="classification",
        summary="VGG16 up to its third block, frozen, on doubled images, and a dense layer of 64",
        build=build_transfer,
        objective=CLASSIFICATION,
        recipes={
            "quick": Recipe(epochs=3, ema_momentum=0.99, pretrained="hed"),
            "full": Recipe(epochs=20, learning_rate=1e-3, weight_decay=1e-2, pretrained="hed"),
        },
        # In batches it is more than eight times as slow as cnn_best, the next slowest.
        signatures=partial(convolutional_tasks, noisy_copies=8, path_steps=16, ascent_steps=16),
        frozen_until=FEATURES,
    ),
]
