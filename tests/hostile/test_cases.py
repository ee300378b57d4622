"""Every case of every table, against the running services."""

from __future__ import annotations

import pytest

from tests.hostile import (
    cases_bodies,
    cases_grpc,
    cases_http,
    cases_images,
    cases_infer,
    cases_json,
)
from tests.hostile.engine import Case, run
from tests.stack import Stack

TABLES = [cases_json, cases_bodies, cases_http, cases_grpc, cases_infer, cases_images]

pytestmark = pytest.mark.hostile


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=case.name) for table in TABLES for case in table.CASES]
)
def test_the_services_outlive(case: Case, stack: Stack) -> None:
    run(case, stack)
