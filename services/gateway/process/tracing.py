"""OpenTelemetry spans for requests and for calls to the model server.

Without a collector no OpenTelemetry package is imported, and the client's `traceparent` is passed
on unchanged. A call that several requests share belongs to the trace of the first.
"""

from __future__ import annotations

import os

from flask import Flask

from services.gateway.request.probe_paths import PROBE_PATHS
from services.gateway.settings import SetupError

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


def start_tracing() -> bool:
    """Starts sending spans over gRPC if OpenTelemetry's environment variables name a collector.

    Must be called in a worker process, before it opens channels.

    Returns:
        Whether spans are sent.

    Raises:
        SetupError: a collector is named, but OpenTelemetry is not installed.
    """
    if not any(map(os.environ.get, _ENDPOINTS)):
        return False
    try:
        from opentelemetry import trace  # noqa: PLC0415 - see the module
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import (  # noqa: PLC0415
            OTLPSpanExporter,
        )
        from opentelemetry.instrumentation.grpc import GrpcInstrumentorClient  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ImportError as error:
        raise SetupError(
            f"{_ENDPOINTS[0]} is set, but {error.name} is missing: pip install 'lectern[otel]', or "
            "unset it"
        ) from error
    os.environ.setdefault("OTEL_SERVICE_NAME", "lectern-gateway")
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    GrpcInstrumentorClient().instrument()  # type: ignore[no-untyped-call]
    return True


def trace_requests(app: Flask) -> None:
    """Creates a span for every request except probes; `start_tracing` must have run before."""
    from opentelemetry.instrumentation.flask import FlaskInstrumentor  # noqa: PLC0415

    FlaskInstrumentor().instrument_app(  # type: ignore[no-untyped-call]
        app, excluded_urls=",".join(sorted(PROBE_PATHS))
    )
