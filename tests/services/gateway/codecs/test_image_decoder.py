from __future__ import annotations

import struct
import subprocess
import sys
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from services.gateway.codecs.image_decoder import (
    FORMATS,
    DecodingLimits,
    ImageDecoder,
    ImageFile,
    ImageSpec,
    _large_images,
    decode_images,
    find_image_input,
    takes_images,
)
from services.gateway.request.errors import ContentTooLarge, DeadlineExceeded, InvalidRequest
from services.serving_api.protos import types_pb2
from services.serving_api.signatures import Signature, TensorSpec
from tests.hostile import images
from tests.processes import ROOT
from tests.services.gateway.images import GREY, PNG, encode

GREY_28 = ImageSpec(28, 28, 1, np.dtype(np.float32), (1,))
ANY_GREY = ImageSpec(None, None, 1, np.dtype(np.uint8), ())
ANY_COLOUR = ImageSpec(None, None, 3, np.dtype(np.uint8), (3,))
MAX_PIXELS = 1_000_000

# What each mode can be saved as; of the rest, Pillow writes no file that keeps them.
SAVED = {
    "1": "PNG",
    "L": "PNG",
    "LA": "PNG",
    "P": "GIF",
    "RGB": "BMP",
    "RGBA": "WEBP",
    "CMYK": "TIFF",
    "YCbCr": "JPEG",
    "LAB": "TIFF",
    "I;16": "PNG",
    "I": "TIFF",
    "F": "TIFF",
}


def decode_image(
    content: bytes, spec: ImageSpec, max_pixels: int, invert: bool = False
) -> np.ndarray:
    return ImageDecoder(spec, max_pixels, max_pixels, invert).decode(content, seconds=30)


def test_an_image_of_the_models_own_size_arrives_value_by_value():
    array = decode_image(PNG, GREY_28, MAX_PIXELS)
    assert array.dtype == np.float32
    np.testing.assert_array_equal(array, GREY[..., np.newaxis])


@given(
    mode=st.sampled_from(sorted(SAVED)),
    width=st.integers(1, 60),
    height=st.integers(1, 60),
    channels=st.sampled_from([1, 3, 4]),
)
def test_any_mode_and_size_becomes_what_the_model_takes(mode, width, height, channels):
    spec = ImageSpec(28, 20, channels, np.dtype(np.float32), (channels,))
    content = encode(Image.new(mode, (width, height)), SAVED[mode])
    array = decode_image(content, spec, MAX_PIXELS)
    assert array.shape == (28, 20, channels)
    assert array.dtype == np.float32
    assert array.min() >= 0
    assert array.max() <= 255


@given(st.binary(min_size=1, max_size=400), st.integers(1, 20))
def test_a_lossless_file_keeps_every_grey_value(values, width):
    height = -(-len(values) // width)
    image = np.frombuffer(values.ljust(width * height, b"\0"), np.uint8).reshape(height, width)
    np.testing.assert_array_equal(decode_image(encode(image), ANY_GREY, MAX_PIXELS), image)


@pytest.mark.parametrize("file_format", FORMATS)
def test_every_format_is_read(file_format):
    array = decode_image(encode(np.full((16, 16), 200, np.uint8), file_format), ANY_GREY, 256)
    np.testing.assert_allclose(array, 200, atol=3)


def test_a_large_image_is_scaled_to_the_mean_of_its_parts():
    blocks = np.kron(GREY, np.ones((8, 8), np.uint8))
    array = decode_image(encode(blocks), GREY_28, MAX_PIXELS)
    # A triangle filter mixes the neighbours in, so only their order of magnitude stays.
    assert abs(array.mean() - GREY.mean()) < 1
    assert np.corrcoef(array.ravel(), GREY.ravel())[0, 1] > 0.8


def test_a_large_jpeg_looks_the_same_as_the_png_of_it():
    ramp = np.add.outer(np.arange(800), np.arange(800)).astype(np.float32)
    picture = (ramp / ramp.max() * 255).astype(np.uint8)
    jpeg = decode_image(encode(picture, "JPEG", quality=95), GREY_28, MAX_PIXELS)
    png = decode_image(encode(picture), GREY_28, MAX_PIXELS)
    np.testing.assert_allclose(jpeg, png, atol=3)


def test_a_photo_is_turned_upright():
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: rotate by 270 degrees counterclockwise to display
    array = decode_image(encode(GREY[:, :20], exif=exif), ANY_GREY, MAX_PIXELS)
    np.testing.assert_array_equal(array, np.rot90(GREY[:, :20], -1))


def test_transparent_pixels_become_zero():
    pixels = np.zeros((2, 2, 4), np.uint8)
    pixels[0] = (255, 255, 255, 0)
    pixels[1] = (200, 200, 200, 255)
    np.testing.assert_array_equal(
        decode_image(encode(pixels), ANY_GREY, MAX_PIXELS), [[0, 0], [200, 200]]
    )


def test_a_transparent_palette_colour_counts_as_zero():
    image = Image.fromarray(np.array([[0, 1]], np.uint8), "P")
    image.putpalette([255, 255, 255, 100, 100, 100])
    content = encode(image, transparency=0)
    np.testing.assert_array_equal(decode_image(content, ANY_GREY, MAX_PIXELS), [[0, 100]])


@pytest.mark.parametrize(
    "spec", [ANY_GREY, ANY_COLOUR, ImageSpec(None, None, 4, np.dtype(np.float32), (4,))]
)
def test_inverting_turns_dark_into_light_and_leaves_opacity(spec):
    array = decode_image(PNG, spec, MAX_PIXELS, invert=True)
    colours = array[..., :3] if spec.channels == 4 else array
    expected = decode_image(PNG, spec, MAX_PIXELS)
    np.testing.assert_array_equal(colours, 255 - expected[..., : colours.shape[-1]])
    assert spec.channels != 4 or (array[..., 3] == 255).all()


def test_transparent_pixels_become_zero_when_inverted_too():
    pixels = np.zeros((1, 3, 4), np.uint8)
    pixels[0] = [(0, 0, 0, 0), (0, 0, 0, 255), (255, 255, 255, 255)]
    array = decode_image(encode(pixels), ANY_GREY, MAX_PIXELS, invert=True)
    np.testing.assert_array_equal(array, [[0, 255, 0]])


def test_sixteen_bits_are_scaled_and_not_cut_off():
    wide = np.array([[0, 257, 32896, 65535]], np.uint16)
    array = decode_image(encode(wide), ANY_GREY, MAX_PIXELS)
    np.testing.assert_array_equal(array, [[0, 1, 128, 255]])


def test_floats_run_from_zero_to_one():
    values = np.array([[0, 0.5, 1, 7, -1, np.nan]], np.float32)
    array = decode_image(encode(values, "TIFF"), ANY_GREY, MAX_PIXELS)
    np.testing.assert_array_equal(array, [[0, 128, 255, 255, 0, 0]])


def test_lab_colours_become_red_green_and_blue():
    image = Image.new("LAB", (1, 1), (255, 128, 128))  # white: full lightness, no colour
    array = decode_image(encode(image, "TIFF"), ANY_COLOUR, MAX_PIXELS)
    np.testing.assert_allclose(array, 255, atol=1)


def test_colours_keep_their_places():
    pixels = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    np.testing.assert_array_equal(decode_image(encode(pixels), ANY_COLOUR, MAX_PIXELS), pixels)


@pytest.mark.parametrize("content", [b"", b"hello", b"%PDF-1.7", b"GIF", b"\x89PNG\r\n\x1a\n"])
def test_other_files_are_refused(content):
    with pytest.raises(InvalidRequest, match="expected"):
        decode_image(content, GREY_28, MAX_PIXELS)


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "WEBP", "BMP"])
def test_a_truncated_image_is_refused(file_format):
    content = encode(GREY, file_format)
    with pytest.raises(InvalidRequest, match="expected a complete file"):
        decode_image(content[: len(content) * 2 // 3], GREY_28, MAX_PIXELS)


def test_a_program_disguised_as_an_image_is_not_run():
    postscript = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\nshowpage\n"
    with pytest.raises(InvalidRequest, match="expected an image"):
        decode_image(postscript, GREY_28, MAX_PIXELS)


@pytest.mark.parametrize("side", [1_001, 10_000, 14_000, 2**31 - 1])
def test_a_decompression_bomb_is_refused_by_its_header(side):
    header = struct.pack(">IIBBBBB", side, 1_000, 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"")), (b"IEND", b"")]
    content = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
    with pytest.raises(ContentTooLarge, match="at most 1000000"):
        decode_image(content, GREY_28, MAX_PIXELS)


def run_lengths(side: int) -> bytes:
    """A BMP file whose pixels are runs."""
    row = b"\x01\x07" * side + b"\x00\x00"
    pixels = row * side + b"\x00\x01"
    header = struct.pack("<IiiHHIIiiII", 40, side, side, 1, 8, 1, len(pixels), 0, 0, 256, 0)
    start = 14 + len(header) + 1024
    file = struct.pack("<IHHI", start + len(pixels), 0, 0, start)
    return b"BM" + file + header + b"\x09\x09\x09\x00" * 256 + pixels


@pytest.mark.parametrize(
    "make",
    [
        lambda side: f"P2 {side} {side} 255 ".encode() + b"9 " * side * side,
        lambda side: f"P5 {side} {side} 15 ".encode() + b"\x01" * side * side,
        run_lengths,
        lambda side: encode(np.full((side, side), 9, np.uint8), "QOI"),
    ],
    ids=["text", "fifteen", "runs", "QOI"],
)
def test_images_in_slow_formats_must_be_small(make):
    assert np.unique(decode_image(make(40), ANY_GREY, MAX_PIXELS)).size == 1
    with pytest.raises(ContentTooLarge, match=r"at most 250000: .* slow to decode, send a PNG"):
        decode_image(make(510), ANY_GREY, MAX_PIXELS)


SEEDS = {
    **{name: encode(GREY, name) for name in FORMATS},
    "progressive": images.progressive_jpeg(40, 12),
    "photo": images.jpeg_with_segments(2, 0xE1, b"Exif\0\0" + images.BROKEN_EXIF),
    "animation": images.webp_with_frames(3),
    "frames": images.gif_with_frames(3),
    "comments": images.gif_with_comments(3),
    "palette": images.palette_png([[0, 1]], [(1, 2, 3), (4, 5, 6)], [0]),
    "interlaced": encode(GREY, "GIF", interlace=1),
    "chunks": images.png(
        GREY,
        before=[
            images.png_chunk(b"eXIf", images.BROKEN_EXIF),
            images.compressed_chunk(b"zTXt", 9),
            images.png_chunk(b"acTL", bytes(8)),
        ],
        parts=5,
    ),
    "strips": images.tiff_with_strips(20),
    "deflated": encode(GREY, "TIFF", compression="tiff_adobe_deflate"),
    "JPEG within TIFF": encode(GREY, "TIFF", compression="jpeg"),
    "wide": encode(np.zeros((9, 9), np.uint16)),
}


@given(st.data())
def test_a_damaged_file_decodes_or_is_refused(data):
    content = bytearray(data.draw(st.sampled_from(sorted(SEEDS)).map(SEEDS.__getitem__)))
    position = st.integers(0, len(content) - 1)
    for at, value in data.draw(st.lists(st.tuples(position, st.binary(max_size=8)), max_size=6)):
        content[at : at + len(value)] = value
    start, end = sorted([data.draw(position), data.draw(position)])
    match data.draw(st.sampled_from(["as it is", "without", "twice", "cut off"])):
        case "without":
            del content[start:end]
        case "twice":
            content[start:start] = content[start:end]
        case "cut off":
            del content[end:]
    with suppress(InvalidRequest, ContentTooLarge):
        array = decode_image(bytes(content), GREY_28, MAX_PIXELS)
        assert array.shape == (28, 28, 1)


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (images.progressive_jpeg(990, 3_000), ContentTooLarge),
        (images.png_with_chunks(200_000), ContentTooLarge),
        (images.tiff_with_strips(200_000), ContentTooLarge),
        (images.ppm_with_comments(2_000), ContentTooLarge),
        (images.tiff_of_a_fax(100), InvalidRequest),
        (images.jpeg_2000(100), InvalidRequest),
        (encode(GREY)[:-50], InvalidRequest),
        (encode(GREY, "ICO"), InvalidRequest),
    ],
)
def test_a_refusal_lists_the_supported_formats(content, error):
    with pytest.raises(error, match="expected") as caught:
        decode_image(content, GREY_28, MAX_PIXELS)
    assert "undamaged" not in caught.value.description
    assert " at 0x" not in caught.value.description


@pytest.mark.parametrize(
    "content",
    [images.png_bomb(1_500), images.progressive_jpeg(4_000, 10), images.gif_with_comments(300_000)],
)
def test_decoding_ends_at_the_deadline(content):
    decoder = ImageDecoder(GREY_28, 16 * MAX_PIXELS, 64 * MAX_PIXELS)
    decoder.decode(encode(GREY, "GIF"), seconds=30)
    start = time.process_time()
    with pytest.raises(DeadlineExceeded, match="deadline of this request has passed"):
        decoder.decode(content, seconds=0.01)
    assert time.process_time() - start < 1
    assert not _large_images.locked()


def test_a_photo_of_24_megapixels_is_read_where_16_are_allowed():
    photo = images.jpeg_of_size(6_000, 4_000)
    assert decode_image(photo, GREY_28, 16_000_000).shape == (28, 28, 1)
    with pytest.raises(ContentTooLarge, match=r"24000000 pixels .*at most 16000000"):
        decode_image(photo, ANY_GREY, 16_000_000)


@pytest.mark.parametrize(
    "content",
    [images.png_bomb(4_000), images.jpeg_of_size(8_000, 6_000, progressive=True)],
    ids=["transparent", "progressive"],
)
def test_the_largest_pictures_take_little_memory(content, tmp_path):
    file = tmp_path / "image"
    file.write_bytes(content)
    program = (
        "import resource, sys; "
        "from pathlib import Path; "
        "from tests.services.gateway.codecs.test_image_decoder import GREY_28, PNG, ImageDecoder; "
        "decoder = ImageDecoder(GREY_28, 16_000_000, 64_000_000); "
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss; "
        "decoder.decode(PNG, 60); before = peak(); "
        "decoder.decode(Path(sys.argv[1]).read_bytes(), 60); print(peak() - before)"
    )
    run = subprocess.run(
        [sys.executable, "-c", program, str(file)], cwd=ROOT, stdout=subprocess.PIPE, check=True
    )
    assert int(run.stdout) < 220 * 1024


def test_a_plain_picture_crosses_three_modules():
    decoder = ImageDecoder(GREY_28, MAX_PIXELS, MAX_PIXELS)
    modules = set()

    def note(frame, _event, _argument):
        modules.add(frame.f_globals["__name__"])

    sys.setprofile(note)
    try:
        decoder.decode(PNG, 5)
    finally:
        sys.setprofile(None)
    assert len({name for name in modules if name.startswith("services.gateway.codecs.")}) == 3


@pytest.mark.parametrize(
    ("shape", "channels", "tail"),
    [((None, 28, 28, 1), 1, (1,)), ((None, 8, 9, 3), 3, (3,)), ((None, 5, 6), 1, ())],
)
def test_the_input_that_takes_images_is_found(shape, channels, tail):
    signature = Signature({"x": TensorSpec(types_pb2.DT_FLOAT, shape)}, {}, "")
    name, spec = find_image_input(signature)
    assert name == "x"
    assert (spec.height, spec.width) == shape[1:3]
    assert (spec.channels, spec.shape_tail) == (channels, tail)


def test_among_several_inputs_images_is_the_one():
    inputs = {
        "class_index": TensorSpec(types_pb2.DT_INT32, (None,)),
        "images": TensorSpec(types_pb2.DT_UINT8, (None, 28, 28, 1)),
    }
    name, spec = find_image_input(Signature(inputs, {}, ""))
    assert (name, spec.dtype) == ("images", np.uint8)


@pytest.mark.parametrize(
    "inputs",
    [
        {},
        {"x": TensorSpec(types_pb2.DT_FLOAT, (None,))},
        {"x": TensorSpec(types_pb2.DT_FLOAT, None)},
        {"x": TensorSpec(types_pb2.DT_STRING, (None, 28, 28))},
        {"x": TensorSpec(types_pb2.DT_FLOAT, (None, 28, 28, 7))},
        {"a": TensorSpec(types_pb2.DT_FLOAT, (None, 9, 9)), "b": TensorSpec(1, (None, 9, 9))},
    ],
)
def test_a_signature_without_images_says_what_it_takes(inputs):
    with pytest.raises(InvalidRequest, match="send JSON") as caught:
        find_image_input(Signature(inputs, {}, ""))
    assert all(name in caught.value.description for name in inputs)


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((None, 28, 28), True),
        ((None, 28, 28, 1), True),
        ((None, None, None, 3), True),
        ((None, None, 28), False),
        ((None, 28, 28, 7), False),
        ((None, 28), False),
        (None, False),
    ],
)
def test_images_are_told_from_sequences(shape, expected):
    images = TensorSpec(types_pb2.DT_FLOAT, shape)
    assert takes_images(Signature({"x": images}, {}, "")) == expected
    assert not takes_images(Signature({"images": images, "x": images}, {}, ""))


def test_the_pixels_of_all_files_of_a_request_are_limited():
    decoder = ImageDecoder(GREY_28, MAX_PIXELS, max_total_pixels=3 * GREY.size)
    for _ in range(3):
        decoder.decode(PNG, seconds=5)
    with pytest.raises(ContentTooLarge, match=r"3136 pixels, .* 2352 .*LECTERN_MAX_REQUEST_PIXELS"):
        decoder.decode(PNG, seconds=5)


def test_large_images_are_decoded_one_at_a_time_and_small_ones_at_once():
    large = encode(np.zeros((1_001, 1_000), np.uint8))
    decoder = ImageDecoder(GREY_28, 2 * MAX_PIXELS, 10 * MAX_PIXELS)
    with ThreadPoolExecutor(1) as pool:
        with _large_images:
            with pytest.raises(DeadlineExceeded, match="deadline of this request has passed"):
                decoder.decode(large, seconds=0.05)
            assert decoder.decode(PNG, seconds=0).any()
            waiting = pool.submit(decoder.decode, large, 30)
            with pytest.raises(TimeoutError):
                waiting.result(0.2)
        assert waiting.result(30).shape == (28, 28, 1)


FREE = TensorSpec(types_pb2.DT_FLOAT, (None, None, None, 1))


def decode_all(
    files: list[ImageFile], max_pixels: int = 10**6, total: int = 10**6, seconds: float = 5
) -> np.ndarray:
    """Decode files for a model that takes images of any size."""
    limits = DecodingLimits(max_pixels, total, time.monotonic() + seconds)
    name, images = decode_images(files, Signature({"images": FREE}, {}, ""), limits)
    assert name == "images"
    return images


def test_images_of_a_model_that_takes_any_size_must_agree():
    sizes = [(2, 3), (4, 5)]
    files = [ImageFile(None, encode(np.zeros(size, np.uint8))) for size in sizes]
    assert decode_all(files[:1]).shape == (1, 2, 3, 1)
    with pytest.raises(InvalidRequest, match="one size"):
        decode_all(files)


def test_decoding_ends_with_the_requests_time():
    with pytest.raises(DeadlineExceeded):
        decode_all([ImageFile(None, PNG)], seconds=0)


def test_all_images_together_must_stay_under_the_limit_as_the_model_takes_them():
    with pytest.raises(ContentTooLarge, match="3 images, which have more than 1600 pixels"):
        decode_all([ImageFile(None, PNG)] * 3, max_pixels=1_600)


def test_all_images_together_must_stay_under_the_limit_as_they_are_sent():
    files = [ImageFile(None, PNG), ImageFile(None, PNG), ImageFile("third", PNG)]
    with pytest.raises(ContentTooLarge, match=r"third: .* 2352 pixels, expected at most 1600"):
        decode_all(files, total=1_600)
