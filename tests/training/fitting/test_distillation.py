from __future__ import annotations

import keras
import numpy as np
import pytest

from training.architectures.linear import build_linear
from training.fitting.distillation import LABEL_WEIGHT, TEMPERATURE, make_distiller


def softmax(logits: np.ndarray) -> np.ndarray:
    exponentials = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


@pytest.fixture
def teacher() -> keras.Model:
    """A linear classifier with random weights."""
    model = build_linear("teacher")
    weights = np.random.default_rng(1).normal(size=(784, 10)).astype(np.float32)
    model.get_layer("logits").kernel.assign(weights)
    return model


def test_the_loss_is_hintons(teacher: keras.Model, images: np.ndarray) -> None:
    student = build_linear("student")
    student.get_layer("logits").bias.assign(np.arange(10) / 5)
    targets = np.eye(10, dtype=np.float32)[:5]
    distiller = make_distiller(teacher, student)
    distiller.compile(loss=keras.losses.CategoricalCrossentropy(from_logits=True))

    found = float(distiller.compute_loss(images, targets, distiller(images)))

    taught, learnt = teacher(images).numpy(), student(images).numpy()
    soft, guess = softmax(taught / TEMPERATURE), softmax(learnt / TEMPERATURE)
    divergence = (soft * np.log(np.maximum(soft, 1e-7) / guess)).sum(axis=1).mean()
    label_loss = -(targets * np.log(softmax(learnt))).sum(axis=1).mean()
    expected = LABEL_WEIGHT * label_loss + (1 - LABEL_WEIGHT) * TEMPERATURE**2 * divergence
    assert found == pytest.approx(expected, rel=1e-3)


def test_the_student_follows_and_the_teacher_stays(
    teacher: keras.Model, images: np.ndarray
) -> None:
    student = build_linear("student")
    before = teacher.get_weights()
    distiller = make_distiller(teacher, student)
    distiller.compile(
        optimizer=keras.optimizers.Adam(0.05),
        loss=keras.losses.CategoricalCrossentropy(from_logits=True),
        jit_compile=False,
    )
    wrong = np.eye(10, dtype=np.float32)[(teacher(images).numpy().argmax(axis=1) + 1) % 10]

    distiller.fit(images, wrong, epochs=40, verbose=0)

    np.testing.assert_array_equal(
        student(images).numpy().argmax(axis=1), teacher(images).numpy().argmax(axis=1)
    )
    for old, new in zip(before, teacher.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
