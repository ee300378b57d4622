from __future__ import annotations

import base64

import numpy as np
import pytest

from services.gateway.api.body import FilesBody, JsonBody
from services.gateway.api.image_inputs import ImageBatch, ImageParameters, read_images
from services.gateway.codecs.image_decoder import ImageFile
from services.gateway.inference.resolution import ResolvedRequest
from services.gateway.request.context import RequestContext
from services.gateway.request.errors import InvalidRequest
from services.gateway.settings import Settings
from services.gateway.upstream.catalog import ModelInfo
from services.gateway.upstream.model_server import ModelRef
from services.serving_api.protos import types_pb2
from services.serving_api.signatures import Signature, TensorSpec
from tests.services.gateway.images import GREY, PNG

SIGNATURE = Signature({"images": TensorSpec(types_pb2.DT_FLOAT, (None, 28, 28, 1))}, {}, "")
PIXELS = GREY.astype(np.float32)[np.newaxis, ..., np.newaxis]
ENCODED = {"b64": base64.b64encode(PNG).decode()}
WRAPPED = {"b64": base64.encodebytes(PNG).decode().replace("=", "")}


def read(body: list[ImageFile] | dict[str, object], *, invert: bool = False) -> ImageBatch:
    context, info = RequestContext.lasting(5), ModelInfo("m", 1, {"s": SIGNATURE})
    resolved = ResolvedRequest(context, ModelRef("m"), info, "s", SIGNATURE, None)
    parameters = ImageParameters(invert=invert)
    form = FilesBody if isinstance(body, list) else JsonBody
    return read_images(form(body, parameters), resolved, Settings())


@pytest.mark.parametrize(
    ("body", "files"),
    [
        ([ImageFile("a.png", PNG), ImageFile(None, PNG)], ["a.png", None]),
        ({"instances": [ENCODED, ENCODED]}, [None, None]),
        ({"instances": [WRAPPED, WRAPPED]}, [None, None]),
        ({"instances": PIXELS.tolist() * 2}, [None, None]),
        ({"inputs": {"images": PIXELS.tolist() * 2}}, [None, None]),
    ],
)
@pytest.mark.parametrize("invert", [False, True])
def test_files_and_numbers_arrive_alike(body, files, invert):
    batch = read(body, invert=invert)
    assert batch.input_name == "images"
    assert batch.files == files
    expected = np.concatenate([PIXELS, PIXELS])
    np.testing.assert_array_equal(batch.images, 255 - expected if invert else expected)


@pytest.mark.parametrize(
    ("instances", "words"),
    [
        ([{"b64": "?"}], "standard base64"),
        ([ENCODED, 1], "every instance"),
        ([{"b64": 1}], "every instance"),
        ([{"b64": "aGVsbG8="}], "expected an image"),
    ],
)
def test_encoded_instances_that_are_none_are_explained(instances, words):
    with pytest.raises(InvalidRequest, match=words):
        read({"instances": instances})
