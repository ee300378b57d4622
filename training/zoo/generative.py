"""Generative networks."""

from __future__ import annotations

from dataclasses import replace

from training.architectures.gan import build_gan
from training.architectures.vae import build_vae, build_vae_conv
from training.zoo.network import Network
from training.zoo.objective import ADVERSARIAL, EVIDENCE_LOWER_BOUND
from training.zoo.recipe import Recipe
from training.zoo.tasks import adversarial_tasks, generator_tasks

_ADVERSARIAL = Recipe(
    epochs=4,
    optimizer="adam_short_memory",
    learning_rate=1e-3,
    weight_decay=0.0,
    batch_size=64,
    ema_momentum=0.995,
)

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
    Network(
        name="gan",
        task="generation",
        summary="the decoder of `vae_conv`, trained further against a convolutional critic",
        build=build_gan,
        objective=ADVERSARIAL,
        recipes={
            "quick": replace(_ADVERSARIAL, epochs=1, ema_momentum=0.99),
            "full": _ADVERSARIAL,
        },
        signatures=adversarial_tasks,
        starts_from="vae_conv",
    ),
]
