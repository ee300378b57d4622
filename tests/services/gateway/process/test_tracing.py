from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import Any

import grpc
import pytest
import requests
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from services.gateway.process.tracing import start_tracing
from services.gateway.settings import SetupError
from tests.processes import ROOT, wait_until
from tests.services.gateway.gateway_process import TIMEOUT, address, started
from tests.services.gateway.images import PNG

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"


class Collector(trace_service_pb2_grpc.TraceServiceServicer):
    """Keeps the spans that it is sent."""

    def __init__(self) -> None:
        self.spans: list[Any] = []
        self._server = grpc.server(ThreadPoolExecutor(2))
        trace_service_pb2_grpc.add_TraceServiceServicer_to_server(self, self._server)
        self.port = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()

    def Export(self, request, context):  # noqa: N802 - the protocol's name
        scopes = chain.from_iterable(part.scope_spans for part in request.resource_spans)
        self.spans += chain.from_iterable(scope.spans for scope in scopes)
        return trace_service_pb2.ExportTraceServiceResponse()

    def stop(self) -> None:
        self._server.stop(None).wait()

    def of_trace(self, trace_id: str) -> dict[int, Any]:
        """Return the spans of a trace by their kind."""
        return {span.kind: span for span in self.spans if span.trace_id.hex() == trace_id}


@pytest.fixture
def collector() -> Iterator[Collector]:
    server = Collector()
    yield server
    server.stop()


def test_a_request_and_its_call_upstream_are_spans_of_the_clients_trace(fake, collector):
    telemetry = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.port}",
        "OTEL_BSP_SCHEDULE_DELAY": "100",
    }
    with started(fake, **telemetry) as gateway:
        url = address(gateway)
        path = f"{url}/v1/models/classifier:predict"
        headers = {"traceparent": f"00-{TRACE}-{PARENT}-01"}
        assert requests.post(path, PNG, headers=headers, timeout=TIMEOUT).ok
        assert requests.get(f"{url}/livez", timeout=TIMEOUT).ok
        kinds = {Span.SPAN_KIND_SERVER, Span.SPAN_KIND_CLIENT}
        wait_until(lambda: collector.of_trace(TRACE).keys() == kinds, TIMEOUT, "two spans")
    server = collector.of_trace(TRACE)[Span.SPAN_KIND_SERVER]
    assert server.parent_span_id.hex() == PARENT
    assert server.name == "POST /v1/models/<model>:predict"
    # What the model server was told: the same trace, and the gateway's own span as the parent.
    _, trace_id, span_id, _ = fake.metadata[-1]["traceparent"].split("-")
    assert trace_id == TRACE
    assert span_id in {span.span_id.hex() for span in collector.spans}
    assert not [span for span in collector.spans if "livez" in span.name]


def test_without_a_collector_nothing_of_it_is_loaded():
    program = "import sys, services.gateway.process.startup; "
    program += "from services.gateway.process import tracing; "
    program += (
        "print(tracing.start_tracing(), [name for name in sys.modules if 'opentelemetry' in name])"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "False []\n"


def test_a_collector_without_the_packages_is_explained(monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    with pytest.raises(SetupError, match=r"lectern\[otel\]"):
        start_tracing()
