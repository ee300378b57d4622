"""The gRPC transport of the tests of the model server: grpcio, or that of `make test-native`."""

from __future__ import annotations

import os

import pytest

from services.model_server.grpc_api.options import GRPCIO, NATIVE

TRANSPORT = os.environ.get("LECTERN_GRPC_TRANSPORT", GRPCIO)

grpcio_alone = pytest.mark.skipif(
    TRANSPORT == NATIVE, reason="pygrpc-native has no TLS, and listens on one address"
)
