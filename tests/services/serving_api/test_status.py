"""Every gRPC code has its HTTP status."""

from __future__ import annotations

import grpc

from services.serving_api.status import HTTP_STATUS


def test_no_code_is_missing():
    assert set(HTTP_STATUS) == set(grpc.StatusCode)


def test_only_ok_is_a_success():
    successes = [code for code, status in HTTP_STATUS.items() if 200 <= status < 300]
    assert successes == [grpc.StatusCode.OK]
