from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from training.architectures.layers.sampler import Sampler

SHAPE = (20_000, 2)
MEAN = np.broadcast_to(np.float32([1.0, -2.0]), SHAPE)
LOG_VARIANCE = np.broadcast_to(np.log(np.float32([0.25, 9.0])), SHAPE)


def test_samples_have_the_mean_and_variance_asked_for() -> None:
    samples = Sampler(seed=0)(MEAN, LOG_VARIANCE).numpy()

    # Five standard errors of each estimate.
    tolerance = 5 / np.sqrt(len(samples))
    deviation = np.array([0.5, 3.0])
    assert np.all(np.abs(samples.mean(axis=0) - [1, -2]) < tolerance * deviation)
    assert np.all(np.abs(samples.var(axis=0) / deviation**2 - 1) < tolerance * np.sqrt(2))


def test_a_seed_decides_the_samples_and_each_call_draws_new_ones() -> None:
    first, second = Sampler(seed=3), Sampler(seed=3)

    np.testing.assert_array_equal(first(MEAN, LOG_VARIANCE), second(MEAN, LOG_VARIANCE))
    assert (first(MEAN, LOG_VARIANCE).numpy() != second(MEAN, LOG_VARIANCE).numpy()).sum() == 0
    assert (first(MEAN, LOG_VARIANCE).numpy() != first(MEAN, LOG_VARIANCE).numpy()).any()


def test_the_gradient_reaches_mean_and_variance() -> None:
    mean, log_variance = tf.constant(MEAN[:5]), tf.constant(LOG_VARIANCE[:5])
    with tf.GradientTape() as tape:
        tape.watch([mean, log_variance])
        samples = Sampler(seed=0)(mean, log_variance)
    by_mean, by_log_variance = tape.gradient(samples, [mean, log_variance])

    np.testing.assert_array_equal(by_mean, np.ones((5, 2)))
    np.testing.assert_allclose(by_log_variance, 0.5 * (samples - mean), rtol=1e-4)


def test_it_comes_back_from_its_config() -> None:
    layer = Sampler(seed=7, name="sampler")

    restored = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))

    assert isinstance(restored, Sampler)
    assert restored.get_config() == layer.get_config()
    np.testing.assert_array_equal(restored(MEAN, LOG_VARIANCE), Sampler(7)(MEAN, LOG_VARIANCE))
