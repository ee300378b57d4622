"""The HTTP server: uvicorn in a thread of this process, since TensorFlow must not be forked."""

from __future__ import annotations

import threading

import uvicorn

from services.model_server.inference.data_plane import DataPlane
from services.model_server.models.manager import ModelManager
from services.model_server.models.model_control import ModelControl
from services.model_server.ports import listen
from services.model_server.rest_api.app import create_app
from services.model_server.rest_api.draining import DrainingProtocol, DrainingServer
from services.model_server.rest_api.options import RestOptions

KEEP_ALIVE_SECONDS = 50
"""The idle time after which TensorFlow Serving closes a connection."""


class RestServer:
    """TensorFlow Serving's REST API."""

    def __init__(
        self,
        manager: ModelManager,
        data_plane: DataPlane,
        options: RestOptions,
        grace_seconds: int,
        control: ModelControl | None = None,
    ) -> None:
        """Takes the port; no request is answered before `start`.

        Args:
            manager: reports the state of the models.
            data_plane: answers requests for inference.
            options: where and how to listen.
            grace_seconds: the time that requests in flight have after `stop`.
            control: loads and unloads models on request; None where clients may not.

        Raises:
            PortTakenError: another process listens there, or it is not allowed.
        """
        self._socket = listen(options.port)
        config = uvicorn.Config(
            create_app(manager, data_plane, options, control),
            http=DrainingProtocol,
            ws="none",
            lifespan="off",
            access_log=False,
            log_config=None,
            log_level="warning",
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=grace_seconds,
        )
        self._server = DrainingServer(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, name="rest", daemon=True
        )

    def start(self) -> None:
        """Accepts requests."""
        self._thread.start()

    def stop(self) -> None:
        """Closes the port once every request that was sent is answered."""
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()
