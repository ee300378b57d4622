from __future__ import annotations

import numpy as np
import pytest

from tests.training.signatures.conftest import Serve
from training.architectures.vae import VariationalAutoencoder, build_vae
from training.exporting.session import SessionModel
from training.signatures.latent import decode_latent, encode_latent


@pytest.fixture(scope="module")
def vae() -> VariationalAutoencoder:
    return build_vae(latent_size=3)


@pytest.fixture(scope="module")
def served_vae(serve: Serve, vae: VariationalAutoencoder) -> SessionModel:
    return serve([encode_latent(vae.encoder), decode_latent(vae.decoder)])


def test_encoding_gives_mean_and_log_variance(
    served_vae: SessionModel, vae: VariationalAutoencoder, images: np.ndarray
) -> None:
    outputs = served_vae.run("encode_latent", images=images)

    mean, log_variance = vae.encoder(images)
    assert outputs.keys() == {"mean", "log_variance"}
    np.testing.assert_allclose(outputs["mean"], mean, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(outputs["log_variance"], log_variance, rtol=1e-3, atol=1e-5)


def test_decoding_is_what_numpy_makes_of_the_weights(
    served_vae: SessionModel, vae: VariationalAutoencoder
) -> None:
    latent = np.random.default_rng(0).standard_normal((4, 3)).astype(np.float32)

    outputs = served_vae.run("decode_latent", latent=latent)

    (kernel, bias), (pixels, offset) = (
        vae.decoder.get_layer(name).get_weights() for name in ("dense", "pixels")
    )
    logits = np.maximum(latent.astype(np.float64) @ kernel + bias, 0) @ pixels + offset
    np.testing.assert_allclose(
        outputs["images"].reshape(4, 784), 255 / (1 + np.exp(-logits)), rtol=1e-4
    )
