"""TensorFlow's ProfilerService, which `tf.profiler.experimental.client` and TensorBoard call.

Source: tsl/profiler/protobuf/profiler_service.proto, of which the Python wheel has no module.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import grpc

from services.model_server.config.message_classes import compile_proto, message_classes
from services.model_server.errors import ServingError, invalid_argument
from services.model_server.grpc_api.errors import answers_errors
from services.model_server.grpc_api.handlers import add_service
from services.model_server.servables.cancellation import current_cancellation
from services.serving_api.protos import error_codes_pb2

# Fields that are not needed are left out, among them the tracers' levels: TensorFlow's own Python
# API takes them and, in version 2.20, ignores them.
_FILE = compile_proto(
    "tensorflow",
    """
    service ProfilerService {
      rpc Profile(ProfileRequest) returns (ProfileResponse);
      rpc Terminate(TerminateRequest) returns (TerminateResponse);
      rpc Monitor(MonitorRequest) returns (MonitorResponse);
    }
    message ProfileOptions { uint64 duration_ms = 9; }
    message ProfileRequest {
      ProfileOptions opts = 4;
      string repository_root = 5;
      string session_id = 6;
      string host_name = 7;
    }
    message ProfileResponse { bool empty_trace = 7; }
    message TerminateRequest { string session_id = 1; }
    message TerminateResponse {}
    message MonitorRequest {}
    message MonitorResponse {}
    """,
)
_MESSAGES = message_classes(_FILE)

MAX_DURATION_MS = 600_000


class ProfilerService:
    """Profile and Terminate; Monitor is not implemented in TensorFlow Serving either."""

    def __init__(self) -> None:
        self._stopped: dict[str, threading.Event] = {}

    @answers_errors
    def Profile(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """Records for a while, and writes the file that the request names on this machine."""
        if request.opts.duration_ms > MAX_DURATION_MS:
            raise invalid_argument(
                f"received a duration of {request.opts.duration_ms} ms, expected at most "
                f"{MAX_DURATION_MS}: a recording takes memory as long as it lasts"
            )
        # TensorFlow takes seconds to import, which must not keep the ports closed.
        from services.model_server.inference import profiler  # noqa: PLC0415

        stopped = self._stopped[request.session_id] = threading.Event()
        current_cancellation().on_cancel(stopped.set)
        file = f"{request.host_name}.xplane.pb".replace(":", "_")
        target = Path(request.repository_root, request.session_id, file)
        try:
            has_events = profiler.record(target, request.opts.duration_ms / 1000, stopped)
        finally:
            self._stopped.pop(request.session_id, None)
        return _MESSAGES["ProfileResponse"](empty_trace=not has_events)

    @answers_errors
    def Terminate(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """Ends a recording before its time."""
        if stopped := self._stopped.get(request.session_id):
            stopped.set()
        return _MESSAGES["TerminateResponse"]()

    @answers_errors
    def Monitor(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """Answers UNIMPLEMENTED, as TensorFlow Serving does."""
        raise ServingError(error_codes_pb2.UNIMPLEMENTED, "unimplemented.")


def add_profiler_service(server: grpc.Server) -> None:
    """Serves the profiler."""
    add_service(server, _FILE.services_by_name["ProfilerService"], ProfilerService())
