"""Probes for an orchestrator, and the metrics."""

from __future__ import annotations

from flask import Response
from typing_extensions import TypedDict

from services.gateway.api.responses import JSON
from services.gateway.api.routing import Routes, Tag
from services.gateway.collaborators import Gateway
from services.gateway.request.context import RequestContext
from services.gateway.request.errors import NotReady
from services.gateway.telemetry.metrics import exposition

routes = Routes("probes", __name__, Tag.OPERATIONS)


class Alive(TypedDict):
    """The process serves."""

    status: str


class Ready(TypedDict):
    """Every configured model can answer."""

    status: str
    models: list[str]


@routes.call("GET", "/livez", "/startupz", answers={JSON: Alive})
def live(_gateway: Gateway, _context: RequestContext) -> Alive:
    """Answers 200: the process serves. The model server's state is the readiness probe's business.

    A probe that fails here has the gateway restarted, which would not bring a model back.
    """
    return {"status": "alive"}


@routes.call("GET", "/readyz", answers={JSON: Ready})
def ready(gateway: Gateway, _context: RequestContext) -> Ready:
    """Answers 200 when every configured model can answer, else 503 with the reasons.

    Raises:
        NotReady: no model is configured, or one cannot answer.
    """
    check_ready(gateway)
    return {"status": "ready", "models": list(gateway.model_names)}


@routes.call("GET", "/metrics", answers={"text/plain": str})
def metrics(_gateway: Gateway, _context: RequestContext) -> Response:
    """Answers the metrics of all workers in Prometheus's text format."""
    body, content_type = exposition()
    return Response(body, content_type=content_type)


def check_ready(gateway: Gateway) -> None:
    """Checks that every configured model can answer.

    Raises:
        NotReady: no model is configured, or one cannot answer.
    """
    if not gateway.model_names:
        raise NotReady(
            "no model is configured: name them in LECTERN_MODELS, or give the model server's file "
            "in LECTERN_MODEL_CONFIG_FILE"
        )
    obstacles = gateway.readiness.obstacles()
    if obstacles:
        raise NotReady(
            "; ".join(f"{', '.join(names)}: {reason}" for reason, names in obstacles.items())
        )
