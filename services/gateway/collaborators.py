"""What the calls share: the settings and the collaborators of the running application."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from flask import Flask, current_app

from services.gateway.cascade_setting import Cascade
from services.gateway.middleware.load_shedding import Lanes
from services.gateway.settings import Settings
from services.gateway.upstream.answer_cache import AnswerCache
from services.gateway.upstream.batching import Batcher
from services.gateway.upstream.catalog import Catalog
from services.gateway.upstream.model_server import ModelServer
from services.gateway.upstream.readiness import Readiness

_EXTENSION = "lectern"


@dataclass(frozen=True)
class Gateway:
    """The parts of one application."""

    settings: Settings
    model_names: tuple[str, ...]
    cascades: Mapping[str, Cascade]
    model_server: ModelServer
    cache: AnswerCache
    batcher: Batcher
    lanes: Lanes
    catalog: Catalog
    readiness: Readiness

    def attach(self, app: Flask) -> None:
        """Let the calls of an application find it."""
        app.extensions[_EXTENSION] = self


def gateway() -> Gateway:
    """Return the parts of the current application."""
    return cast(Gateway, current_app.extensions[_EXTENSION])
