from __future__ import annotations

import pytest
from werkzeug.datastructures import Headers

from services.gateway.request.trace_context import take_trace_context, trace_metadata

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"


def test_the_trace_of_a_request_reaches_the_model_server(client, fake):
    headers = {"traceparent": PARENT, "tracestate": "vendor=value"}
    body = {"inputs": [2]}
    client.post("/v1/models/half_plus_two:predict", json=body, headers=headers)
    assert fake.metadata[-1]["traceparent"] == PARENT
    assert fake.metadata[-1]["tracestate"] == "vendor=value"
    client.post("/v1/models/half_plus_two:predict", json=body)
    assert "traceparent" not in fake.metadata[-1]


@pytest.mark.parametrize(
    "received",
    ["", TRACE, PARENT.upper(), f"ff{PARENT[2:]}", f"{PARENT}-x", f"{PARENT[:-1]}\u00e4"],
)
def test_a_malformed_trace_is_left_out(received):
    take_trace_context(Headers({"traceparent": PARENT}))
    assert take_trace_context(Headers({"traceparent": received, "tracestate": "a=b"})) is None
    assert trace_metadata() == ()


@pytest.mark.parametrize("state", ["a\u00e4=b", "x" * 513])
def test_a_malformed_state_is_left_out(state):
    assert take_trace_context(Headers({"traceparent": PARENT, "tracestate": state})) == TRACE
    assert trace_metadata() == (("traceparent", PARENT),)
