"""Every gRPC code has its HTTP status."""

from __future__ import annotations

import grpc

from services.serving_api.status import HTTP_STATUS


def test_no_code_is_missing():
    assert set(HTTP_STATUS) == set(grpc.StatusCode)


def test_only_ok_is_a_success():
    successes = [code for code, status in HTTP_STATUS.items() if 200 <= status < 300]
    assert successes == [grpc.StatusCode.OK]


def test_the_map_is_tensorflow_servings():
    by_status = {
        200: {"OK"},
        400: {"INVALID_ARGUMENT", "FAILED_PRECONDITION", "OUT_OF_RANGE"},
        401: {"UNAUTHENTICATED"},
        403: {"PERMISSION_DENIED"},
        404: {"NOT_FOUND"},
        409: {"ALREADY_EXISTS", "ABORTED"},
        429: {"RESOURCE_EXHAUSTED"},
        499: {"CANCELLED"},
        500: {"UNKNOWN", "INTERNAL", "DATA_LOSS"},
        501: {"UNIMPLEMENTED"},
        503: {"UNAVAILABLE"},
        504: {"DEADLINE_EXCEEDED"},
    }
    for status, names in by_status.items():
        assert {code.name for code in HTTP_STATUS if HTTP_STATUS[code] == status} == names
