"""MLServer with a runtime of its own, the model in its process; its HTTP routes do not batch."""

from __future__ import annotations

import asyncio
import sys

from mlserver import MLModel, MLServer, ModelSettings, Settings
from mlserver.handlers.custom import custom_handler
from starlette.requests import Request
from starlette.responses import Response

from benchmarks.peers.classifier import Classifier, decode_json, decode_png
from tests.processes import free_port


class Cnn(MLModel):
    async def load(self) -> bool:
        self.classifier = Classifier()
        return True

    @custom_handler(rest_path="/png")
    async def png(self, request: Request) -> Response:
        images = decode_png(await request.body())
        return Response(await asyncio.to_thread(self.classifier.answer, images))

    @custom_handler(rest_path="/json")
    async def json(self, request: Request) -> Response:
        images = decode_json(await request.body())
        return Response(await asyncio.to_thread(self.classifier.answer, images))


if __name__ == "__main__":
    ports = {"http_port": int(sys.argv[1]), "grpc_port": free_port(), "metrics_port": free_port()}
    server = MLServer(Settings(host="127.0.0.1", parallel_workers=0, debug=False, **ports))
    asyncio.run(server.start([ModelSettings(name="cnn", implementation=Cnn)]))
