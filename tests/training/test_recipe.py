from __future__ import annotations

from dataclasses import fields, replace

from training.recipe import Recipe


def test_the_digest_changes_with_every_setting() -> None:
    recipe = Recipe(epochs=2)
    digests = {
        replace(recipe, **{field.name: getattr(recipe, field.name) + 1}).digest()
        for field in fields(recipe)
    }

    assert len(digests | {recipe.digest()}) == len(fields(recipe)) + 1


def test_the_digest_is_stable() -> None:
    assert Recipe(epochs=2).digest() == Recipe(epochs=2).digest()
