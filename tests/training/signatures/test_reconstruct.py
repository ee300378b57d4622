from __future__ import annotations

import numpy as np

from tests.training.signatures.conftest import Serve
from training.architectures.autoencoder import build_autoencoder
from training.architectures.vae import build_vae
from training.signatures.reconstruct import reconstruct


def test_an_autoencoder_restores_images(serve: Serve, images: np.ndarray) -> None:
    model = build_autoencoder()

    outputs = serve([reconstruct(model)]).run("serving_default", images=images)

    assert outputs.keys() == {"images"}
    np.testing.assert_allclose(outputs["images"], model(images), rtol=1e-4)


def test_a_variational_autoencoder_restores_them_without_noise(
    serve: Serve, images: np.ndarray
) -> None:
    model = build_vae()
    served = serve([reconstruct(model)])

    first, second = (served.run("serving_default", images=images)["images"] for _ in range(2))

    np.testing.assert_array_equal(first, second)
    mean, _ = model.encoder(images)
    np.testing.assert_allclose(first, model.decoder(mean), rtol=1e-4)
