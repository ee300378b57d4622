from __future__ import annotations

from dataclasses import fields, replace

import pytest

from training.data.augmentation import Augmentation
from training.zoo.recipe import Recipe


def test_the_digest_changes_with_every_setting() -> None:
    recipe = Recipe(epochs=2)
    other = {
        "optimizer": {"optimizer": "sgd"},
        "pretrained": {"pretrained": "hed"},
        "schedule": {"schedule": "constant"},
        "early_stopping": {"ema_momentum": None, "early_stopping": 3},
        "random_erasing": {"augment": True, "random_erasing": 0.5},
    }
    digests = {
        replace(
            recipe, **other.get(field.name) or {field.name: getattr(recipe, field.name) + 1}
        ).digest()
        for field in fields(recipe)
    }

    assert len(digests | {recipe.digest()}) == len(fields(recipe)) + 1


def test_two_answers_to_which_weights_are_exported_are_refused() -> None:
    with pytest.raises(ValueError, match="expected at most one"):
        Recipe(epochs=2, ema_momentum=0.9, early_stopping=3)


def test_erasing_without_augmentation_is_refused() -> None:
    with pytest.raises(ValueError, match="expected augment=True"):
        Recipe(epochs=2, random_erasing=0.5)


def test_the_augmentation_follows_from_the_settings() -> None:
    recipe = Recipe(epochs=2, augment=True)

    assert Recipe(epochs=2).augmentation is None
    assert recipe.augmentation == Augmentation(max_shift=2)
    assert replace(recipe, max_shift=4, random_erasing=0.5).augmentation == Augmentation(4, 0.5)


def test_the_digest_is_stable() -> None:
    assert Recipe(epochs=2).digest() == Recipe(epochs=2).digest()
