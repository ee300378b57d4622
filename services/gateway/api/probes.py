"""What an orchestrator asks: is the gateway alive, is it ready, what has it measured."""

from __future__ import annotations

from flask import Blueprint, Response

from services.gateway.collaborators import gateway
from services.gateway.request.errors import NotReady
from services.gateway.telemetry.metrics import exposition

blueprint = Blueprint("probes", __name__)


@blueprint.get("/livez")
@blueprint.get("/startupz")
def live() -> dict[str, str]:
    """Answer 200: the process serves. The model server's state is the readiness probe's business.

    A probe that fails here has the gateway restarted, which would not bring a model back.
    """
    return {"status": "alive"}


@blueprint.get("/readyz")
def ready() -> dict[str, object]:
    """Answer 200 when every configured model can answer, else 503 with the reasons.

    Raises:
        NotReady: no model is configured, or one cannot answer.
    """
    names = gateway().model_names
    if not names:
        raise NotReady(
            "no model is configured: name them in LECTERN_MODELS, or give the model server's file "
            "in LECTERN_MODEL_CONFIG_FILE"
        )
    obstacles = gateway().readiness.obstacles()
    if obstacles:
        raise NotReady("; ".join(f"{', '.join(who)}: {why}" for why, who in obstacles.items()))
    return {"status": "ready", "models": names}


@blueprint.get("/metrics")
def metrics() -> Response:
    """Answer the metrics of all workers in Prometheus's text format."""
    body, content_type = exposition()
    return Response(body, content_type=content_type)
