from __future__ import annotations

import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

from services.gateway.codecs.image_files.bounds import OutOfTime, TooCostly
from services.gateway.codecs.image_files.decoding_process import (
    ISOLATED_FORMATS,
    DecodingProcess,
    UnknownFormat,
)
from services.gateway.codecs.image_files.opened_image import Target
from tests.hostile import images
from tests.processes import Running, wait_until
from tests.services.gateway.images import GREY, encode

AS_IT_IS = Target("L", None, None, "black", 16_000_000)
GIF = encode(GREY, "GIF")


@pytest.fixture(scope="module")
def process():
    return DecodingProcess()


def decode(process: DecodingProcess, content: bytes, seconds: float = 60) -> np.ndarray:
    with process.open(content, time.monotonic() + seconds, AS_IT_IS) as image:
        return np.asarray(image.decode(AS_IT_IS))


def child_of(process: DecodingProcess) -> psutil.Process:
    return psutil.Process(process._server._process.pid)


@pytest.mark.parametrize("file_format", ISOLATED_FORMATS)
def test_every_format_is_described_and_decoded(process, file_format):
    content = encode(np.full((16, 20), 200, np.uint8), file_format)
    with process.open(content, time.monotonic() + 60, AS_IT_IS) as image:
        assert (image.format, image.width, image.height) == (file_format, 20, 16)
        assert image.in_python == (file_format == "QOI")
        np.testing.assert_allclose(np.asarray(image.decode(AS_IT_IS)), 200, atol=3)


def test_a_file_that_is_not_wanted_leaves_no_trace(process):
    large = encode(np.zeros((800, 800), np.uint8), "BMP")
    for _ in range(3):
        with process.open(large, time.monotonic() + 60, AS_IT_IS):
            pass
        np.testing.assert_array_equal(decode(process, GIF), GREY)


def test_errors_of_files_that_are_not_decoded(process):
    with pytest.raises(UnknownFormat):
        decode(process, b"hello")
    with pytest.raises(UnknownFormat):
        decode(process, images.jpeg_2000(28))
    with pytest.raises(ValueError, match="truncated"):
        decode(process, encode(GREY, "BMP")[:-100])
    np.testing.assert_array_equal(decode(process, GIF), GREY)


DAMAGED_EXIF = [b"Exif\0\0hello", b"hello", images.BROKEN_EXIF]


@pytest.mark.parametrize("exif", DAMAGED_EXIF)
def test_damaged_metadata_of_webp_does_not_decide_whether_the_pixels_are_read(process, exif):
    array = decode(process, encode(GREY, "WEBP", lossless=True, exif=exif))
    upright = np.rot90(GREY, -1) if exif == images.BROKEN_EXIF else GREY
    np.testing.assert_array_equal(array, upright)


@pytest.mark.parametrize("exif", DAMAGED_EXIF)
def test_damaged_metadata_of_avif_does_not_decide_whether_the_pixels_are_read(process, exif):
    whole = Image.Exif()
    whole[0x010F] = "a" * 40
    data = whole.tobytes().removeprefix(b"Exif\0\0")
    content = encode(GREY, "AVIF", exif=whole, quality=100)
    assert data in content
    damaged = content.replace(data, exif.ljust(len(data), b"\0"))
    np.testing.assert_allclose(decode(process, damaged), GREY, atol=3)


@pytest.mark.parametrize(
    "content",
    [
        images.webp_with_codes(1_000),
        images.avif_that_lies(9_000),
        images.gif_with_comments(500_000),
        images.webp_with_frames(5_000),
        images.gif_with_frames(5_000),
        images.tiff_with_shared_strips(5_000, 1_000_000),
        images.tiff_with_strips(100_000),
        images.ppm_with_comments(1_000),
    ],
    ids=["codes", "lies", "comments", "webp", "gif", "shared", "strips", "ppm"],
)
def test_costly_files_take_little_memory_and_time(process, content):
    decode(process, GIF)
    child = child_of(process)
    Path(f"/proc/{child.pid}/clear_refs").write_text("5")  # forgets the peak
    start = sum(child.cpu_times()[:2])
    with suppress(TooCostly, ValueError, OutOfTime):
        decode(process, content, seconds=20)
    if child.is_running():
        [peak] = [
            int(line.split()[1])
            for line in Path(f"/proc/{child.pid}/status").read_text().splitlines()
            if line.startswith("VmHWM")
        ]
        assert peak < 250 * 1024
        assert sum(child.cpu_times()[:2]) - start < 5
    np.testing.assert_array_equal(decode(process, GIF), GREY)


def test_comments_that_pillow_would_take_minutes_for_are_too_many(process):
    with pytest.raises(TooCostly, match="comments"):
        decode(process, images.ppm_with_comments(300_000))


def test_it_is_killed_at_the_deadline_and_starts_again():
    process = DecodingProcess()
    decode(process, GIF)
    with pytest.raises(OutOfTime):
        decode(process, images.gif_with_comments(1_000_000), seconds=0.2)
    np.testing.assert_array_equal(decode(process, GIF), GREY)


def test_it_starts_again_after_it_was_killed(process):
    for _ in range(2):
        decode(process, GIF)
        child = child_of(process)
        child.kill()
        child.wait(10)
    np.testing.assert_array_equal(decode(process, GIF), GREY)


def test_a_crash_while_it_decodes_is_the_fault_of_the_file(process):
    large = encode(np.zeros((800, 800), np.uint8), "BMP")
    with process.open(large, time.monotonic() + 60, AS_IT_IS) as image:
        child_of(process).kill()
        with pytest.raises(ValueError, match="crashed"):
            image.decode(AS_IT_IS)
    np.testing.assert_array_equal(decode(process, GIF), GREY)


def test_requests_take_turns(process):
    with ThreadPoolExecutor(8) as pool:
        for array in pool.map(lambda _: decode(process, GIF), range(40)):
            np.testing.assert_array_equal(array, GREY)


def test_a_turn_that_does_not_come_in_time_is_given_up(process):
    with (
        process.open(GIF, time.monotonic() + 60, AS_IT_IS),
        ThreadPoolExecutor(1) as pool,
        pytest.raises(OutOfTime),
    ):
        pool.submit(decode, process, GIF, 0.1).result()


def test_it_ends_with_the_process_that_started_it():
    program = (
        "from tests.services.gateway.codecs.image_files import test_decoding_process as test; "
        "process = test.DecodingProcess(); test.decode(process, test.GIF); "
        "print(test.child_of(process).pid, flush=True); test.time.sleep(60)"
    )
    starter = Running([sys.executable, "-c", program], {})
    wait_until(lambda: bool(starter.lines), 60, "the number of the process")
    child = psutil.Process(int(starter.lines[0]))
    starter.stop(signal.SIGKILL)
    wait_until(lambda: not child.is_running(), 10, "the end of the process")
