from __future__ import annotations

import grpc
import pytest

from services.gateway.request.errors import ModelServerProblem, Problem
from services.serving_api.status import HTTP_STATUS
from tests.services.gateway.problems import assert_problem


def leaves(kind: type[Problem]) -> list[type[Problem]]:
    return [leaf for child in kind.__subclasses__() for leaf in (leaves(child) or [child])]


@pytest.fixture
def answer_to(app):
    def answer(error: Exception):
        def fail() -> str:
            raise error

        app.add_url_rule("/fail", view_func=fail)
        return app.test_client().get("/fail")

    return answer


@pytest.mark.parametrize(
    "kind", [kind for kind in leaves(Problem) if kind is not ModelServerProblem]
)
def test_every_problem_is_answered_with_its_own_status(answer_to, kind):
    response = answer_to(kind("why"))
    assert 400 <= kind.code < 600
    assert_problem(response, kind.code, "why")
    assert ("Retry-After" in response.headers) == (kind.code in {429, 503})


@pytest.mark.parametrize("code", [code for code in HTTP_STATUS if code != grpc.StatusCode.OK])
def test_every_grpc_code_has_an_answer(answer_to, code):
    response = answer_to(ModelServerProblem(code, "why"))
    assert response.status_code == HTTP_STATUS[code]
    assert response.json["detail"] == "why"
    assert response.json["title"]


def test_an_unexpected_error_does_not_reveal_its_message(answer_to):
    response = answer_to(KeyError("secret"))
    assert_problem(response, 500, "log")
    assert "secret" not in response.text


def test_an_unknown_path_is_a_problem_too(client):
    assert_problem(client.get("/nope"), 404, "no call GET /nope")
