"""Small classifiers, each trained on labels alone and distilled from `cnn_best`."""

from __future__ import annotations

from functools import partial

from training.architectures.resnet import build_student
from training.zoo.network import Network
from training.zoo.objective import CLASSIFICATION
from training.zoo.recipe import Recipe
from training.zoo.tasks import convolutional_tasks

# The same for all, so that only size and teacher differ.
_RECIPES = {
    "quick": Recipe(epochs=2, ema_momentum=0.99),
    "full": Recipe(epochs=20, learning_rate=4e-3, augment=True),
}


def _student(name: str, widths: tuple[int, int, int], teacher: str | None = None) -> Network:
    stem, first, second = widths
    lesson = f"distilled from {teacher}" if teacher else "trained on labels alone"
    return Network(
        name=name,
        task="classification",
        summary=f"a small residual network of {stem}, {first} and {second} channels, {lesson}",
        build=partial(build_student, name, widths=widths),
        objective=CLASSIFICATION,
        recipes=_RECIPES,
        signatures=convolutional_tasks,
        teacher=teacher,
    )


_SIZES = {"": (16, 22, 34), "_small": (8, 12, 18)}

NETWORKS = [
    *(_student(f"student{suffix}", widths) for suffix, widths in _SIZES.items()),
    *(_student(f"mimic{suffix}", widths, "cnn_best") for suffix, widths in _SIZES.items()),
]
