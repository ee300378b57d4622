"""Requests that schemathesis makes up from the document: whatever comes, no call fails."""

from __future__ import annotations

import random

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.services.gateway.api.openapi.conftest import MODELS

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
EXAMPLES = 5  # of each call


@pytest.fixture(scope="module")
def described(app):
    # The pages take nothing, and schemathesis leaves their files open.
    return schemathesis.openapi.from_wsgi("/openapi.json", app).exclude(path=["/", "/docs"])


@schemathesis.serializer("image/*", "application/vnd.lectern.code")
def as_it_is(_, value):
    return value


def test_no_request_makes_a_call_fail(described):
    called = 0

    def call(case) -> None:
        nonlocal called
        # Left to chance, hardly a request would come past «not found».
        if "model" in case.path_parameters and called % 5:
            case.path_parameters["model"] = random.Random(called).choice(list(MODELS))
        called += 1
        case.call_and_validate(checks=CHECKS)

    for found in described.get_all_operations():
        made_up = given(case=found.ok().as_strategy())(call)
        settings(
            max_examples=EXAMPLES,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
            derandomize=True,
            database=None,
        )(made_up)()
    assert called > 3 * EXAMPLES
