"""mosec with batching, the model in a worker process for each form of request."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from mosec import Runtime, Server, Worker

from benchmarks.peers.classifier import Classifier, Images, decode_json, decode_png, encode


class Json(Worker):
    decode = staticmethod(decode_json)

    def __init__(self) -> None:
        self.classifier = Classifier()

    def deserialize(self, data: bytes) -> Images:
        return self.decode(data)

    def forward(self, data: list[Images]) -> list[dict[str, Any]]:
        return self.classifier.predict(np.concatenate(data))

    def serialize(self, data: dict[str, Any]) -> bytes:
        return encode([data])


class Png(Json):
    decode = staticmethod(decode_png)


if __name__ == "__main__":
    sys.argv[1:] = ["--port", sys.argv[1], "--address", "127.0.0.1"]
    server = Server()
    batching = {"max_batch_size": 32, "max_wait_time": 1}
    server.register_runtime(
        {"/json": [Runtime(Json, **batching)], "/png": [Runtime(Png, **batching)]}
    )
    server.run()
