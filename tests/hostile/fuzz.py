"""Coverage-guided fuzzing of what reads a client's bytes: `python -m tests.hostile.fuzz SECONDS`.

Each target gets its share of the time, in a process of its own. What it finds interesting is kept
under `runs/fuzz/TARGET`, where the next run goes on, and what crashes it under `runs/fuzz` too;
`python -m tests.hostile.fuzz --target TARGET FILE` runs that file again. Needs atheris
(`requirements/fuzz.txt`).
"""

from __future__ import annotations

import subprocess
import sys
import zlib
from collections.abc import Callable
from contextlib import suppress
from functools import cache

import atheris
from flask.testing import FlaskClient

with atheris.instrument_imports(include=["services", "werkzeug", "multipart"]):
    import numpy as np

    from services.gateway.app import create_app
    from services.gateway.codecs.code_container import read_container
    from services.gateway.codecs.image_decoder import FORMATS, ImageDecoder, ImageSpec
    from services.gateway.request.errors import Problem
    from services.gateway.settings import Settings
    from services.gateway.telemetry.logs import configure_logging
    from services.gateway.upstream.model_server import ModelServer
    from services.serving_api.protos import types_pb2
    from services.serving_api.rest_json.examples import parse_examples_body
    from services.serving_api.rest_json.predict import parse_predict_body, to_arrays
    from services.serving_api.rest_json.values import JsonError
    from services.serving_api.signatures import TensorSpec

from tests.fakes import CLASSIFIER, EXAMPLES_MODEL, FakeModelServer, FakeVersion
from tests.hostile.inputs import CONTAINERS, JSON_ODDITIES, multipart, part, picture, png
from tests.processes import ROOT, module

FOLDER = ROOT / "runs/fuzz"
_TYPES = (types_pb2.DT_FLOAT, types_pb2.DT_STRING, types_pb2.DT_INT32, types_pb2.DT_BOOL)
_IMAGE = ImageSpec(28, 28, 1, np.dtype(np.float32), (1,))


def predict_json(content: bytes) -> None:
    """Read TensorFlow Serving's predict JSON, into every kind of input; base64 among them."""
    for data_type in _TYPES:
        with suppress(JsonError):
            to_arrays(parse_predict_body(content), {"x": TensorSpec(data_type, (None,))})


def examples_json(content: bytes) -> None:
    with suppress(JsonError):
        parse_examples_body(content)


def code_container(content: bytes) -> None:
    """Read a container as it is, and with the right checksum, which chance would not find."""
    for each in (content, content[:-4] + zlib.crc32(content[:-4]).to_bytes(4, "little")):
        with suppress(Problem):
            read_container(each)


def image(content: bytes) -> None:
    with suppress(Problem):
        ImageDecoder(_IMAGE, 100_000, 100_000).decode(content, 10)


@cache
def _client() -> FlaskClient:
    models = {"classifier": CLASSIFIER, "examples": EXAMPLES_MODEL}
    fake = FakeModelServer({name: {1: FakeVersion(each)} for name, each in models.items()}).start()
    settings = Settings(model_server=fake.address, models=(*models,), log_level="error")
    configure_logging(settings)
    return create_app(settings, ModelServer(fake.address)).test_client()


def _post(path: str, content: bytes, content_type: str, **headers: str) -> None:
    answer = _client().post(path, data=content, content_type=content_type, headers=headers)
    assert answer.status_code < 500, answer.text


def v2_binary(content: bytes) -> None:
    """Read the Open Inference Protocol's JSON, of a length in the first two bytes, and tensors."""
    length = str(int.from_bytes(content[:2], "little"))
    headers = {"Inference-Header-Content-Length": length}
    _post("/v2/models/classifier/infer", content[2:], "application/octet-stream", **headers)


def form(content: bytes) -> None:
    _post("/v1/models/classifier:predict", content, "multipart/form-data; boundary=b")


def url_encoded(content: bytes) -> None:
    _post("/v1/models/classifier:visualize", content, "application/x-www-form-urlencoded")


def _seeds_of_json(before: bytes) -> list[bytes]:
    return [before + value + b"}" for value in JSON_ODDITIES.values()]


_V2 = (
    b'{"inputs":[{"name":"images","shape":[1,28,28,1],"datatype":"FP32",'
    b'"parameters":{"binary_data_size":3136}}]}'
)
TARGETS: dict[str, tuple[Callable[[bytes], None], Callable[[], list[bytes]]]] = {
    "predict_json": (predict_json, lambda: _seeds_of_json(b'{"instances":')),
    "examples_json": (examples_json, lambda: _seeds_of_json(b'{"examples":')),
    "code_container": (code_container, lambda: [*CONTAINERS.values()]),
    "image": (image, lambda: [*map(picture, FORMATS)]),
    "v2_binary": (v2_binary, lambda: [len(_V2).to_bytes(2, "little") + _V2 + bytes(3136)]),
    "form": (form, lambda: [multipart(part(content=png()), part("top", b"2", None))]),
    "url_encoded": (url_encoded, lambda: [b"layer=conv&channels=0,1&seed=%31"]),
}
"""What reads, and what it starts from."""


def fuzz(target: str, arguments: list[str]) -> None:
    """Fuzz one target in this process, by the arguments of libFuzzer."""
    read, seeds = TARGETS[target]
    corpus = FOLDER / target
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds()):
        (corpus / f"seed{number}").write_bytes(seed)
    options = [f"-artifact_prefix={FOLDER}/{target}-", "-timeout=10", "-rss_limit_mb=2048"]
    files = [each for each in arguments if not each.startswith("-")]
    atheris.Setup([sys.argv[0], *options, *arguments, *([] if files else [str(corpus)])], read)
    atheris.Fuzz()


def main(arguments: list[str]) -> int:
    """Fuzz every target for its share of the seconds; return 1 if one of them crashed."""
    if arguments[0] == "--target":
        fuzz(arguments[1], arguments[2:])
    share = f"-max_total_time={int(arguments[0]) // len(TARGETS)}"
    commands = {name: module("tests.hostile.fuzz", "--target", name, share) for name in TARGETS}
    crashed = [
        name
        for name, command in commands.items()
        if subprocess.run(command, cwd=ROOT, check=False).returncode
    ]
    sys.stdout.write(f"crashed: {', '.join(crashed) or 'none'}\n")
    return int(bool(crashed))


if __name__ == "__main__":
    if len(sys.argv) == 1:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1:]))
