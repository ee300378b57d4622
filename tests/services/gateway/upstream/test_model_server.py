from __future__ import annotations

import time

import grpc
import numpy as np
import pytest

from services.gateway.request.context import RequestContext
from services.gateway.request.errors import DeadlineExceeded, ModelServerProblem
from services.gateway.upstream.model_server import ModelRef, ModelServer
from tests.fakes import HALF_PLUS_TWO, FakeSignature, FakeVersion
from tests.processes import free_port, wait_until

HALF = ModelRef("half_plus_two")
FOUR = {"x": np.array([4], np.float32)}


def test_a_prediction_says_which_version_made_it(model_server, fake):
    fake.models["half_plus_two"][3] = FakeVersion(HALF_PLUS_TWO)
    outputs, version = model_server.predict(
        HALF, "serving_default", FOUR, RequestContext.lasting(5)
    )
    assert outputs["y"].tolist() == [4.0]
    assert version == 3


@pytest.mark.parametrize(
    ("ref", "version"),
    [(ModelRef("half_plus_two", 1), 1), (ModelRef("half_plus_two", label="canary"), 1), (HALF, 2)],
)
def test_a_reference_goes_upstream_as_it_is(model_server, fake, ref, version):
    fake.models["half_plus_two"][2] = FakeVersion(HALF_PLUS_TWO)
    fake.labels["canary"] = 1
    assert model_server.metadata(ref, RequestContext.lasting(5)).model_spec.version.value == version


def test_messages_may_be_of_any_size(model_server, fake):
    mirror = FakeSignature(lambda inputs: {"y": inputs["x"]}, {}, {})
    fake.models["mirror"] = {1: FakeVersion({"serving_default": mirror})}
    # gRPC's own limit is 4 MiB.
    large = np.arange(3_000_000, dtype=np.float32)
    outputs, _ = model_server.predict(
        ModelRef("mirror"), "serving_default", {"x": large}, RequestContext.lasting(10)
    )
    np.testing.assert_array_equal(outputs["y"], large)


def test_an_unreachable_server_fails_at_once():
    server = ModelServer(f"127.0.0.1:{free_port()}")
    start = time.monotonic()
    with pytest.raises(ModelServerProblem, match="cannot be reached") as caught:
        server.status(HALF, RequestContext.lasting(5))
    server.close()
    assert caught.value.code == 503
    assert "127.0.0.1" not in caught.value.description
    assert time.monotonic() - start < 4


def test_a_server_that_hangs_is_given_up_at_the_deadline(model_server, fake):
    fake.delay = 5
    start = time.monotonic()
    with pytest.raises(DeadlineExceeded, match=r"within 0\.3 s") as caught:
        model_server.predict(HALF, "serving_default", FOUR, RequestContext.lasting(0.3))
    assert caught.value.code == 504
    assert time.monotonic() - start < 4


def test_the_error_message_of_the_server_is_kept(model_server):
    with pytest.raises(ModelServerProblem, match=r"Latest\(nope\)") as caught:
        model_server.metadata(ModelRef("nope"), RequestContext.lasting(5))
    assert caught.value.code == 404
    assert caught.value.grpc_code == grpc.StatusCode.NOT_FOUND


def test_a_restarted_server_is_found_within_seconds(model_server, fake):
    def answers() -> bool:
        try:
            return bool(model_server.status(HALF, RequestContext.lasting(1)).model_version_status)
        except ModelServerProblem:
            return False

    assert answers()
    fake.stop()
    # Long enough for gRPC's pauses between attempts to grow as far as they may.
    wait_until(lambda: not answers(), 5, "gone")
    time.sleep(3)
    assert not answers()
    fake.start()
    wait_until(answers, 4, "back")


def test_an_http_proxy_is_not_used(monkeypatch, fake):
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    server = ModelServer(fake.address)
    assert server.status(HALF, RequestContext.lasting(5)).model_version_status
    server.close()
