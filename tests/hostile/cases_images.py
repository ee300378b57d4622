"""Pictures that cost more than their size tells: to the gateway's decoder, and to the graph's."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable

import numpy as np

from tests.hostile import images
from tests.hostile.engine import Case
from tests.hostile.inputs import multipart, part, picture
from tests.hostile.requests import Grpc, Http, Request
from tests.hostile.surfaces import JSON_TYPE, file, form, gateway_json, grpc_predict, rest_json

PATH = "/v1/models/mlp:predict"
ANSWERED = frozenset({200, 400, 413, "OK", "INVALID_ARGUMENT"})


def as_json(content: bytes) -> Http:
    files = [{"b64": base64.b64encode(content).decode()}]
    return Http(
        "gateway", "/v1/models/mlp:saliency", json.dumps({"instances": files}).encode(), JSON_TYPE
    )


def as_files(content: bytes) -> Http:
    return form(PATH)(multipart(*[part(content=content)] * 4))


def _string(content: bytes) -> dict[str, np.ndarray]:
    return {"image_bytes": np.array([content], object)}


def by_grpc(content: bytes) -> Grpc:
    return grpc_predict("mlp", "predict_bytes", _string(content))


GATEWAY: dict[str, Callable[[bytes], Request]] = {
    "image": file(PATH, "image/png"),
    "form": as_files,
    "base64": as_json,
}
GRAPH: dict[str, Callable[[bytes], Request]] = {
    "gateway, predict_bytes": lambda content: gateway_json(
        "mlp", "predict_bytes", _string(content)
    ),
    "REST, predict_bytes": lambda content: rest_json("mlp", "predict_bytes", _string(content)),
    "gRPC, predict_bytes": by_grpc,
}

# What the pixels of the largest image may take while it is decoded, one at a time.
MOST = 400

PICTURES: dict[str, tuple[Callable[[], bytes], float]] = {
    "a JPEG of 3,000 scans": (lambda: images.progressive_jpeg(990, 3_000), 2),
    "a JPEG of 3,000 scans, large": (lambda: images.progressive_jpeg(3_900, 3_000), 2),
    "a JPEG of 90 scans": (lambda: images.progressive_jpeg(990, 90), 4),
    "a JPEG of 100,000 segments": (lambda: images.jpeg_with_segments(100_000), 2),
    "a JPEG of scans within a scan": (lambda: images.jpeg_with_scans_within(3_000), 2),
    "a photo of 15 million pixels": (lambda: images.jpeg_of_size(5_000, 3_000), 4),
    "a photo of 100 million pixels": (lambda: images.jpeg_of_size(10_000, 10_000), 2),
    "a PNG of 200,000 chunks": (lambda: images.png_with_chunks(200_000), 2),
    "a PNG of 16 million pixels": (lambda: images.png_bomb(4_000), 6),
    "a PNG of 64 million pixels": (lambda: images.png_bomb(8_000), 2),
    "a PNG with 100 MB of text": (lambda: images.compressed_chunk(b"zTXt", 100_000_000), 2),
    "a PNG with 100 MB of profile": (lambda: images.compressed_chunk(b"iCCP", 100_000_000), 2),
    "a WebP of 65,536 groups of codes": (lambda: images.webp_with_codes(3_000), 4),
    "a WebP of 20,000 frames": (lambda: images.webp_with_frames(20_000), 2),
    "an AVIF of more pixels than it tells": (lambda: images.avif_that_lies(4_000), 4),
    "a TIFF of 200,000 strips": (lambda: images.tiff_with_strips(200_000), 2),
    "a TIFF whose strips are one": (lambda: images.tiff_with_shared_strips(10_000, 1_000_000), 2),
    "a TIFF of a fax": (lambda: images.tiff_of_a_fax(3_000), 2),
    "a GIF of 20,000 frames": (lambda: images.gif_with_frames(20_000), 2),
    "a GIF of 1,000,000 comments": (lambda: images.gif_with_comments(1_000_000), 2),
    "a PPM of 1,000,000 comments": (lambda: images.ppm_with_comments(1_000_000), 2),
    "a JPEG 2000": (lambda: images.jpeg_2000(1_000), 2),
    "a BMP of 12 million pixels": (lambda: picture("BMP", 2_000, 2_500), 4),
}
"""A file, and the processor seconds that it may take."""

OF_THE_GRAPH = [name for name in PICTURES if "JPEG" in name or "PNG" in name or "photo" in name]
OF_THE_GRAPH += [name for name in PICTURES if "GIF" in name or "BMP" in name]


def case(place: str, surface: Callable[[bytes], Request], name: str, clients: int = 1) -> Case:
    make, seconds = PICTURES[name]
    return Case(
        f"{place}: {name}" + (f", {clients} at once" if clients > 1 else ""),
        lambda: [surface(make())],
        ANSWERED,
        clients=clients,
        megabytes=MOST,
        seconds=seconds * clients * (4 if place == "form" else 1),
    )


CASES = [
    *[case("image", GATEWAY["image"], name, clients) for name in PICTURES for clients in (1, 4)],
    *[case(place, GATEWAY[place], name) for place in ("form", "base64") for name in list(PICTURES)[::4]],
    *[case("gRPC, predict_bytes", by_grpc, name) for name in OF_THE_GRAPH],
    *[case(place, GRAPH[place], name) for place in list(GRAPH)[:2] for name in OF_THE_GRAPH[:2]],
]  # fmt: skip
