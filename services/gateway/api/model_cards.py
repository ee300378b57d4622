"""The card of a model: the README.md beside its versions, where the gateway sees their folder."""

from __future__ import annotations

from pathlib import Path

from services.gateway.collaborators import gateway


def find_card(model: str) -> Path | None:
    """Return the card of a model that is served, next to the models.config; None without one."""
    if model not in gateway().model_names:
        # What a client sends must not name files.
        return None
    card = gateway().settings.model_config_file.parent / model / "README.md"
    return card if card.is_file() else None
