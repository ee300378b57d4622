"""Lets a small network learn from a large one's probabilities (https://arxiv.org/abs/1503.02531)."""

from __future__ import annotations

import keras

# High enough that the classes which the teacher holds for impossible still tell apart.
TEMPERATURE = 3.0
# What the labels themselves count; the rest is the teacher's.
LABEL_WEIGHT = 0.1


def make_distiller(teacher: keras.Model, student: keras.Model) -> keras.Model:
    """Joins both into a model whose training changes the student alone.

    Args:
        teacher: A trained classifier from images to logits; it is frozen.
        student: A classifier of the same inputs and outputs.

    Returns:
        A model to compile with the student's loss and to fit like the student.
    """
    distiller = keras.distillation.Distiller(
        teacher=teacher,
        student=student,
        distillation_losses=keras.distillation.LogitsDistillation(
            # Named by its string, Keras 3.15 would compare logits as if they were probabilities.
            temperature=TEMPERATURE,
            loss=keras.losses.KLDivergence(),
        ),
        student_loss_weight=LABEL_WEIGHT,
    )
    distiller.build(student.input_shape)
    return distiller
