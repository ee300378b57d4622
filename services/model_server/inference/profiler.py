"""Records what TensorFlow does for a while, for TensorBoard.

Source: xla/tsl/profiler/rpc/profiler_service_impl.cc.
"""

from __future__ import annotations

import shutil
import threading
from pathlib import Path
from tempfile import TemporaryDirectory

from services.model_server.errors import ServingError
from services.model_server.servables.tensorflow_core import OpError, profiler, xplane_pb2
from services.serving_api.protos import error_codes_pb2


def record(target: Path, seconds: float, stopped: threading.Event) -> bool:
    """Writes an XSpace file, and tells whether there is any event in it.

    Args:
        target: the file.
        seconds: how long.
        stopped: ends the recording before.

    Raises:
        ServingError: INTERNAL, another recording runs, or the file cannot be written.
    """
    with TemporaryDirectory() as folder:
        try:
            profiler.start(folder)
            stopped.wait(seconds)
            profiler.stop()
            [trace] = Path(folder).rglob("*.xplane.pb")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(trace, target)
        except (OpError, OSError) as error:
            raise ServingError(error_codes_pb2.INTERNAL, str(error)) from None
    planes = xplane_pb2.XSpace.FromString(target.read_bytes()).planes
    return any(line.events for plane in planes for line in plane.lines)
