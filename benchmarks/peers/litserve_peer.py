"""LitServe with batching, the model in a worker process for each form of request."""

# LitServe reads the annotations of decode_request, so they are not postponed here.
import sys
from typing import Annotated, Any

import litserve
import numpy as np
from fastapi import Body

from benchmarks.peers.classifier import Classifier, Images, decode_png


class Json(litserve.LitAPI):
    def setup(self, _: str) -> None:
        self.classifier = Classifier()

    def decode_request(self, request: dict[str, Any]) -> Images:
        return np.array(request["instances"], np.float32)

    def batch(self, inputs: list[Images]) -> Images:
        return np.concatenate(inputs)

    def predict(self, images: Images) -> list[dict[str, Any]]:
        return self.classifier.predict(images)

    def unbatch(self, output: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return output

    def encode_response(self, output: dict[str, Any]) -> dict[str, Any]:
        return {"predictions": [output]}


class Png(Json):
    def decode_request(self, request: Annotated[bytes, Body()]) -> Images:
        return decode_png(request)


if __name__ == "__main__":
    batching = {"max_batch_size": 32, "batch_timeout": 0.001}
    apis = [Json(api_path="/json", **batching), Png(api_path="/png", **batching)]
    server = litserve.LitServer(apis, accelerator="cpu")
    server.run(port=int(sys.argv[1]), generate_client_file=False)
