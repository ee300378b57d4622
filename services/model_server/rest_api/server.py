"""The HTTP server: uvicorn in a thread of this process, since TensorFlow bears no fork."""

from __future__ import annotations

import threading

import uvicorn

from services.model_server.inference.inference import Inference
from services.model_server.ports import listen
from services.model_server.rest_api.app import create_app
from services.model_server.rest_api.options import RestOptions


class RestServer:
    """TensorFlow Serving's REST API over the core."""

    def __init__(self, inference: Inference, options: RestOptions, grace_seconds: int) -> None:
        """Take the port; nothing answers before `start`.

        Args:
            inference: what answers requests.
            options: where and how to listen.
            grace_seconds: how long requests in flight may take after `stop`.

        Raises:
            PortTakenError: something else listens there, or it is not allowed.
        """
        self._socket = listen(options.port)
        config = uvicorn.Config(
            create_app(inference, options),
            http="httptools",
            lifespan="off",
            access_log=False,
            log_config=None,
            log_level="warning",
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=grace_seconds,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, name="rest", daemon=True
        )

    def start(self) -> None:
        """Accept requests."""
        self._thread.start()

    def stop(self) -> None:
        """Accept nothing new and wait for the requests in flight."""
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()
