"""OpenTelemetry spans of the requests and of the calls to the model server.

Without a collector this module loads nothing, and a client's trace is handed on as it came
(`trace_context`). Of requests that share a call, the call belongs to the trace of the first.
"""

from __future__ import annotations

import os

from flask import Flask

from services.gateway.request.probe_paths import PROBE_PATHS
from services.gateway.settings import SetupError

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


def start_tracing() -> bool:
    """Starts sending spans over gRPC if OpenTelemetry's standard variables name a collector.

    To be called in a worker process, before it opens channels.

    Returns:
        Whether they name one.

    Raises:
        SetupError: they do, but OpenTelemetry is not installed.
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
    """Makes a span for every request except probes; `start_tracing` says where they are sent."""
    from opentelemetry.instrumentation.flask import FlaskInstrumentor  # noqa: PLC0415

    FlaskInstrumentor().instrument_app(  # type: ignore[no-untyped-call]
        app, excluded_urls=",".join(sorted(PROBE_PATHS))
    )
