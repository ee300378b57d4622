"""Generative networks."""

from __future__ import annotations

from training.architectures.vae import build_vae, build_vae_conv
from training.zoo.network import Network
from training.zoo.objective import EVIDENCE_LOWER_BOUND
from training.zoo.recipe import Recipe
from training.zoo.tasks import generator_tasks

NETWORKS = [
    Network(
        name="vae",
        task="generation",
        summary="the course's variational autoencoder: 400 hidden units each way, "
        "20 latent dimensions",
        build=build_vae,
        objective=EVIDENCE_LOWER_BOUND,
        recipes={
            "quick": Recipe(epochs=3, weight_decay=0.0, ema_momentum=0.99),
            "full": Recipe(epochs=30, weight_decay=0.0),
        },
        signatures=generator_tasks,
    ),
    Network(
        name="vae_conv",
        task="generation",
        summary="a convolutional variational autoencoder, 20 latent dimensions",
        build=build_vae_conv,
        objective=EVIDENCE_LOWER_BOUND,
        recipes={
            "quick": Recipe(epochs=3, weight_decay=0.0, ema_momentum=0.99),
            "full": Recipe(epochs=30, weight_decay=0.0),
        },
        signatures=generator_tasks,
    ),
]
