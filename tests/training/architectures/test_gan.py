from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from training.architectures.gan import AdversarialNetwork, build_gan


@pytest.fixture
def model() -> AdversarialNetwork:
    keras.utils.set_random_seed(0)
    return build_gan((8, 8, 1), latent_size=3)


@pytest.fixture
def batch() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (16, 8, 8, 1)).astype(np.float32)


def test_called_it_scores_images(model: AdversarialNetwork, batch: np.ndarray) -> None:
    assert model.input_shape == (None, 8, 8, 1)
    np.testing.assert_array_equal(model(batch), model.critic(batch))
    assert model(batch).shape == (16, 1)


def test_the_losses_are_of_the_gap_between_the_scores(
    model: AdversarialNetwork, batch: np.ndarray
) -> None:
    """A critic that scores every image alike leaves both players with log 2."""
    score = model.critic.get_layer("score")
    score.kernel.assign(np.zeros(score.kernel.shape))
    model.compile(jit_compile=False)

    measured = model.evaluate(batch, batch, verbose=0, return_dict=True)

    assert measured["gap"] == 0
    assert measured["loss"] == measured["critic_loss"] == pytest.approx(np.log(2), rel=1e-5)


def test_the_penalty_is_the_mean_squared_slope_for_pixels_from_minus_1_to_1(
    model: AdversarialNetwork, batch: np.ndarray
) -> None:
    linear = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Rescaling(1 / 127.5, offset=-1),
            keras.layers.Flatten(),
            keras.layers.Dense(1, kernel_initializer=keras.initializers.Constant(0.5)),
        ]
    )

    slope = AdversarialNetwork(model.decoder, linear)._slope(keras.ops.convert_to_tensor(batch))

    assert float(slope) == pytest.approx(64 * 0.5**2, rel=1e-4)


def test_trained_against_the_critic_the_generator_comes_closer_to_the_images(
    model: AdversarialNetwork,
) -> None:
    model.compile(keras.optimizers.Adam(0.003, beta_1=0.5), jit_compile=False)
    dark = np.full((64, 8, 8, 1), 30, np.float32)
    latent = np.random.default_rng(0).normal(size=(64, 3)).astype(np.float32)
    before = np.abs(model.decoder(latent).numpy() - 30).mean()

    model.fit(dark, dark, epochs=60, verbose=0)

    assert np.abs(model.decoder(latent).numpy() - 30).mean() < before / 2


def test_it_comes_back_from_a_file(
    model: AdversarialNetwork, batch: np.ndarray, tmp_path: Path
) -> None:
    model.save(tmp_path / "gan.keras")

    restored = keras.saving.load_model(tmp_path / "gan.keras")

    assert isinstance(restored, AdversarialNetwork)
    np.testing.assert_array_equal(restored(batch), model(batch))
