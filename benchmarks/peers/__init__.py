"""Other ways to serve the course's CNN, measured beside Lectern if their package is installed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Peer:
    """A server that is started by `python -m benchmarks.peers.MODULE PORT`.

    Attributes:
        name: its name in the table.
        module: its module in this package.
        package: the package that it needs.
        png_path: the call that takes a PNG file.
        json_path: the call that takes TensorFlow Serving's JSON.
        is_grpc: True if it serves TensorFlow Serving's gRPC API instead of HTTP.
    """

    name: str
    module: str
    package: str
    png_path: str = "/png"
    json_path: str = "/json"
    is_grpc: bool = False


PEERS = (
    Peer("FastAPI + uvicorn", "fastapi_peer", "fastapi"),
    Peer("Flask + gunicorn", "flask_peer", "flask"),
    Peer("grpcio", "grpcio_peer", "grpc", is_grpc=True),
    Peer(
        "Lectern, granian",
        "lectern_granian",
        "granian",
        png_path="/v1/models/cnn:predict",
        json_path="/v1/models/cnn:predict",
    ),
    Peer("LitServe", "litserve_peer", "litserve"),
    Peer("MLServer", "mlserver_peer", "mlserver"),
    Peer("mosec", "mosec_peer", "mosec"),
)
