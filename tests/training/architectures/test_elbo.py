from __future__ import annotations

import numpy as np

from training.architectures.elbo import kl_divergence, log_likelihood


def test_the_likelihood_is_that_of_lit_pixels() -> None:
    generator = np.random.default_rng(0)
    images, decoded = (generator.uniform(1, 254, (3, 4, 5, 1)).astype(np.float32) for _ in "ab")

    share, probability = images.astype(np.float64) / 255, decoded.astype(np.float64) / 255
    expected = share * np.log(probability) + (1 - share) * np.log(1 - probability)
    np.testing.assert_allclose(
        log_likelihood(images, decoded), expected.sum(axis=(1, 2, 3)), rtol=1e-5
    )


def test_a_certain_pixel_that_is_wrong_costs_much_but_not_infinitely() -> None:
    black, white = np.zeros((1, 2, 2, 1), np.float32), np.full((1, 2, 2, 1), 255, np.float32)

    assert -80 < float(log_likelihood(black, white)[0]) < -40
    assert float(log_likelihood(white, white)[0]) > -1e-5


def test_the_divergence_is_what_integration_gives() -> None:
    mean, log_variance = np.float32([[0.7]]), np.float32([[-0.9]])
    grid = np.linspace(-10, 10, 200_001)
    variance = np.exp(-0.9)
    log_density = -0.5 * ((grid - 0.7) ** 2 / variance + np.log(2 * np.pi * variance))
    log_prior = -0.5 * (grid**2 + np.log(2 * np.pi))
    expected = np.trapezoid(np.exp(log_density) * (log_density - log_prior), grid)

    np.testing.assert_allclose(kl_divergence(mean, log_variance), [expected], rtol=1e-5)


def test_dimensions_add_up_and_the_prior_itself_costs_nothing() -> None:
    mean, log_variance = np.float32([[0, 0], [1, 2]]), np.float32([[0, 0], [0, 0]])

    np.testing.assert_allclose(kl_divergence(mean, log_variance), [0, 2.5])
