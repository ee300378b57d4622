"""Distillation: a student learns from a teacher's logits (https://arxiv.org/abs/1503.02531)."""

from __future__ import annotations

import keras

# High enough that differences between improbable classes still matter.
TEMPERATURE = 3.0
# Weight of the loss on the labels; the rest is the loss on the teacher's logits.
LABEL_WEIGHT = 0.1


def make_distiller(teacher: keras.Model, student: keras.Model) -> keras.Model:
    """Combines teacher and student into a model that trains the student alone.

    Args:
        teacher: A trained classifier from images to logits, which is frozen.
        student: A classifier with the same inputs and outputs.

    Returns:
        A model to compile with the student's loss and to fit like the student.
    """
    distiller = keras.distillation.Distiller(
        teacher=teacher,
        student=student,
        distillation_losses=keras.distillation.LogitsDistillation(
            # Given as a string, Keras 3.15 would compare logits as if they were probabilities.
            temperature=TEMPERATURE,
            loss=keras.losses.KLDivergence(),
        ),
        student_loss_weight=LABEL_WEIGHT,
    )
    distiller.build(student.input_shape)
    return distiller
