from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tests.training.signatures.conftest import Serve
from training.architectures.autoencoder import build_autoencoder
from training.architectures.codec import build_codec
from training.exporting.session import SessionModel
from training.signatures.compress import compress, decompress, pack, unpack
from training.signatures.reconstruct import reconstruct


@given(st.sampled_from([1, 2, 4, 8]), st.integers(1, 5), st.data())
def test_packing_loses_nothing(bits: int, size: int, data: st.DataObject) -> None:
    element = st.integers(0, 2**bits - 1)
    numbers = data.draw(arrays.arrays(np.float32, (3, size * 8 // bits), elements=element))

    code = pack(tf.constant(numbers), bits)

    assert (code.dtype, code.shape) == (tf.uint8, (3, size))
    np.testing.assert_array_equal(unpack(code, bits), numbers)


def test_the_first_number_lies_in_the_lowest_bits() -> None:
    numbers = tf.constant([[1.0, 2, 3, 15]])

    np.testing.assert_array_equal(pack(numbers, 4), [[0x21, 0xF3]])
    np.testing.assert_array_equal(pack(tf.constant([[1.0, 0, 2, 3]]), 2), [[0b11_10_00_01]])


@pytest.fixture(scope="module")
def codec(serve: Serve) -> SessionModel:
    model = build_codec(code_size=6, bits=4)
    encoder, decoder = model.get_layer("encoder"), model.get_layer("decoder")
    return serve([reconstruct(model), compress(encoder, bits=4), decompress(decoder, bits=4)])


@pytest.fixture(scope="module")
def autoencoder(serve: Serve) -> SessionModel:
    model = build_autoencoder(code_size=6)
    return serve(
        [
            reconstruct(model),
            compress(model.get_layer("encoder")),
            decompress(model.get_layer("decoder")),
        ]
    )


@pytest.mark.parametrize(("name", "dtype"), [("codec", np.uint8), ("autoencoder", np.float32)])
def test_both_halves_make_the_whole(
    name: str, dtype: type, request: pytest.FixtureRequest, images: np.ndarray
) -> None:
    model = request.getfixturevalue(name)

    code = model.run("compress", images=images)["code"]
    restored = model.run("decompress", code=code)["images"]

    assert (code.dtype, code.shape) == (dtype, (5, 6))
    whole = model.run("serving_default", images=images)["images"]
    np.testing.assert_allclose(restored, whole, atol=0.01)


def test_codes_differ_between_images(codec: SessionModel, images: np.ndarray) -> None:
    code = codec.run("compress", images=np.concatenate([images[:1], 255 - images[:1]]))["code"]

    assert (code[0] != code[1]).any()


def test_every_code_is_an_image(codec: SessionModel) -> None:
    code = np.random.default_rng(0).integers(0, 256, (50, 6)).astype(np.uint8)

    restored = codec.run("decompress", code=code)["images"]

    assert restored.shape == (50, 28, 28, 1)
    assert np.isfinite(restored).all()
    assert restored.min() >= 0
    assert restored.max() <= 255
