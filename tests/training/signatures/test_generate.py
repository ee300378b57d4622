from __future__ import annotations

import numpy as np
import pytest

from tests.training.signatures.conftest import Serve
from training.architectures.gan import build_gan
from training.architectures.vae import build_vae
from training.exporting.session import SessionModel
from training.signatures.generate import generate
from training.signatures.latent import decode_latent
from training.signatures.score import score

EXPECTED_OF_42 = [0.015817076, -1.590086937, 0.103594460, 0.811745942, -1.610355020]
SEEDS = np.array([0, 1, -7, 2**62, 41, 42], np.int64)


@pytest.fixture(scope="module")
def vae(serve: Serve) -> SessionModel:
    decoder = build_vae(latent_size=5).decoder
    return serve([generate(decoder), decode_latent(decoder)])


def run(model: SessionModel, seeds: object, temperature: float = 1.0) -> dict[str, np.ndarray]:
    seeds = np.asarray(seeds, np.int64)
    temperatures = np.full(len(seeds), temperature, np.float32)
    return model.run("generate", seed=seeds, temperature=temperatures)


def test_images_are_the_decoded_latent_vectors(vae: SessionModel) -> None:
    outputs = run(vae, SEEDS)

    assert outputs["latent"].shape == (6, 5)
    decoded = vae.run("decode_latent", latent=outputs["latent"])["images"]
    np.testing.assert_allclose(outputs["images"], decoded, rtol=1e-5)


def test_a_seed_gives_its_image_whatever_else_is_in_the_batch(vae: SessionModel) -> None:
    together = run(vae, SEEDS)

    for index, seed in enumerate(SEEDS):
        alone = run(vae, [seed])
        np.testing.assert_array_equal(alone["latent"][0], together["latent"][index])
        # The sums of a matrix product may be taken in another order.
        np.testing.assert_allclose(alone["images"][0], together["images"][index], rtol=1e-5)


def test_a_seed_gives_these_numbers_on_every_server(vae: SessionModel) -> None:
    """Philox of the seed, as any release and any device computes it."""
    np.testing.assert_allclose(run(vae, [42])["latent"][0], EXPECTED_OF_42, rtol=1e-5)


def test_seeds_give_different_images(vae: SessionModel) -> None:
    latent = run(vae, np.arange(100))["latent"]

    assert len(np.unique(latent, axis=0)) == 100


def test_noise_is_normal(vae: SessionModel) -> None:
    latent = run(vae, np.arange(4_000))["latent"]

    tolerance = 5 / np.sqrt(latent.size)
    assert abs(latent.mean()) < tolerance
    assert abs(latent.var() - 1) < tolerance * np.sqrt(2)
    correlation = np.corrcoef(latent.T) - np.eye(5)
    assert np.abs(correlation).max() < 5 / np.sqrt(4_000)


def test_temperature_scales_the_latent_vector(vae: SessionModel) -> None:
    normal, cool = run(vae, SEEDS), run(vae, SEEDS, temperature=0.5)

    np.testing.assert_allclose(cool["latent"], 0.5 * normal["latent"], rtol=1e-6)
    frozen = run(vae, SEEDS, temperature=0.0)["images"]
    np.testing.assert_array_equal(frozen, np.broadcast_to(frozen[:1], frozen.shape))


def test_each_image_has_its_own_temperature(vae: SessionModel) -> None:
    outputs = vae.run("generate", seed=[3, 3], temperature=[1.0, 2.0])

    np.testing.assert_allclose(outputs["latent"][1], 2 * outputs["latent"][0], rtol=1e-6)


def test_a_critic_scores_each_image(serve: Serve) -> None:
    network = build_gan()
    model = serve([generate(network.decoder, network.critic), score(network.critic)])

    outputs = run(model, SEEDS)

    assert outputs["critic_score"].shape == (6,)
    again = model.run("serving_default", images=outputs["images"])["critic_score"]
    np.testing.assert_allclose(outputs["critic_score"], again, rtol=1e-4)
