from __future__ import annotations

import keras
import numpy as np

from tests.training.signatures.call import call
from training.architectures.flip_averaging import average_over_flip
from training.zoo.tasks import convolutional_tasks


def test_it_is_the_mean_over_image_and_flip(trained_cnn: keras.Model, samples: np.ndarray) -> None:
    logits = average_over_flip(trained_cnn).predict(samples, verbose=0)

    alone = trained_cnn.predict(samples, verbose=0)
    flipped = trained_cnn.predict(samples[:, :, ::-1], verbose=0)
    np.testing.assert_allclose(logits, (alone + flipped) / 2, rtol=1e-4, atol=1e-4)
    assert np.abs(logits - alone).max() > 0.1


def test_every_task_explains_what_is_served(trained_cnn: keras.Model, samples: np.ndarray) -> None:
    tasks = {task.name: task for task in convolutional_tasks(trained_cnn, flip_averaging=True)}
    served = call(tasks["serving_default"], images=samples)

    for method in ("gradient", "gradcam", "integrated_gradients"):
        explained = call(tasks[f"saliency_{method}"], images=samples, class_index=[-1] * 10)
        np.testing.assert_array_equal(explained["class_index"], served["class_index"])

    # Integrated gradients share out the logit itself, so they know which one it is.
    black = call(tasks["serving_default"], images=np.zeros_like(samples))
    expected = [
        served["logits"][n, index] - black["logits"][n, index]
        for n, index in enumerate(served["class_index"])
    ]
    shares = explained["attribution"].sum(axis=(1, 2)) - explained["convergence_delta"]
    np.testing.assert_allclose(shares, expected, rtol=1e-3, atol=1e-2)
