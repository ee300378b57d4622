from __future__ import annotations

import pytest

from services.gateway.catalog import ModelInfo
from services.gateway.errors import InvalidRequest
from services.gateway.tasks import (
    predict_signature,
    saliency_methods,
    saliency_signature,
    tasks_of,
)
from services.serving_api.signatures import Signature

GRADIENT, GRADCAM = Signature({}, {}, "gradient"), Signature({}, {}, "gradcam")
EVERYTHING = ModelInfo(
    "m",
    1,
    {
        "serving_default": Signature({}, {}, ""),
        "saliency_gradient": GRADIENT,
        "saliency_gradcam": GRADCAM,
    },
)
NOTHING = ModelInfo("m", 1, {"other": Signature({}, {}, "")})


def test_tasks_follow_from_signatures():
    assert tasks_of(EVERYTHING) == ["predict", "saliency"]
    assert tasks_of(NOTHING) == []


def test_methods_follow_from_signatures():
    assert saliency_methods(EVERYTHING) == ["gradcam", "gradient"]
    assert saliency_signature(EVERYTHING, "gradcam") is GRADCAM


@pytest.mark.parametrize("ask", [predict_signature, lambda m: saliency_signature(m, "gradient")])
def test_a_lacking_task_names_what_there_is(ask):
    with pytest.raises(InvalidRequest, match=r"no task .*\['other'\]"):
        ask(NOTHING)
