from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from training.architectures.vae import VariationalAutoencoder, build_vae, build_vae_conv

LATENT = 3


@pytest.fixture
def model() -> VariationalAutoencoder:
    keras.utils.set_random_seed(0)
    return build_vae((6, 6, 1), LATENT)


@pytest.fixture
def batch() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (8, 6, 6, 1)).astype(np.float32)


def test_the_course_has_20_latent_dimensions() -> None:
    model = build_vae()

    assert model.input_shape == (None, 28, 28, 1)
    assert [tuple(head.shape) for head in model.encoder.outputs] == [(None, 20)] * 2
    assert model.decoder.output_shape == (None, 28, 28, 1)


def test_called_it_decodes_the_mean(model: VariationalAutoencoder, batch: np.ndarray) -> None:
    mean, log_variance = model.encoder(batch)

    assert mean.shape == log_variance.shape == (8, LATENT)
    np.testing.assert_array_equal(model(batch), model.decoder(mean))


def test_its_loss_is_the_negative_evidence_lower_bound(
    model: VariationalAutoencoder, batch: np.ndarray
) -> None:
    """With an encoder that is certain, no noise is left and numpy can follow."""
    for head in ("mean", "log_variance"):
        layer = model.encoder.get_layer(head)
        layer.kernel.assign(tf.zeros_like(layer.kernel))
    model.encoder.get_layer("mean").bias.assign([0.5, -1.0, 2.0])
    model.encoder.get_layer("log_variance").bias.assign([-60.0] * LATENT)
    model.compile(jit_compile=False)

    measured = model.evaluate(batch, batch, verbose=0, return_dict=True)

    latent = np.float32([[0.5, -1, 2]] * 8)
    lit = model.decoder(latent).numpy().astype(np.float64) / 255
    share = batch / 255
    likelihood = share * np.log(lit) + (1 - share) * np.log(1 - lit)
    reconstruction = -likelihood.sum(axis=(1, 2, 3)).mean()
    divergence = 0.5 * (0.5**2 + 1 + 2**2 + LATENT * (60 - 1))
    assert measured["reconstruction"] == pytest.approx(reconstruction, rel=1e-5)
    assert measured["kl_divergence"] == pytest.approx(divergence, rel=1e-5)
    assert measured["loss"] == pytest.approx(reconstruction + divergence, rel=1e-5)


def test_training_raises_the_bound(model: VariationalAutoencoder) -> None:
    model.compile(keras.optimizers.Adam(0.01), jit_compile=False)
    white = np.full((8, 6, 6, 1), 255, np.float32)

    losses = model.fit(white, white, epochs=20, verbose=0).history["loss"]

    assert losses[-1] < 0.5 * losses[0]


def test_it_comes_back_from_a_file(
    model: VariationalAutoencoder, batch: np.ndarray, tmp_path: Path
) -> None:
    model.save(tmp_path / "vae.keras")

    restored = keras.saving.load_model(tmp_path / "vae.keras")

    assert isinstance(restored, VariationalAutoencoder)
    assert restored.name == model.name
    np.testing.assert_array_equal(restored(batch), model(batch))


def test_the_convolutional_one_is_trained_like_the_dense_one_in_as_many_dimensions(
    images: np.ndarray,
) -> None:
    model = build_vae_conv()

    assert isinstance(model, VariationalAutoencoder)
    mean, log_variance = model.encoder(images)
    assert mean.shape == log_variance.shape == (5, 20)
    restored = model(images).numpy()
    assert restored.shape == images.shape
    assert restored.min() >= 0
    assert restored.max() <= 255
