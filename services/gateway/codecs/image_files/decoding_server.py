"""Decodes files of many formats, one at a time, in a process with limited memory and time.

It receives a target and a file. It answers with a description of the file and, if the image is
small, its pixels. For a larger image it then receives whether the pixels are wanted, and sends
them.
"""

from __future__ import annotations

import io
import resource
import socket
import time
from pathlib import Path
from typing import Any

from PIL import AvifImagePlugin, Image, UnidentifiedImageError

from services.gateway.codecs.image_files import tiff
from services.gateway.codecs.image_files.bounds import TooCostly
from services.gateway.codecs.image_files.decoding_process import ISOLATED_FORMATS, MAX_SECONDS
from services.gateway.codecs.image_files.exif import read_orientation
from services.gateway.codecs.image_files.messages import Messages
from services.gateway.codecs.image_files.opened_image import LARGE_PIXELS, OpenedImage, Target

_PLAIN = (b"P1", b"P2", b"P3")
_MAX_COMMENTS = 1_000
"""Limit for plain variants of PPM, since Pillow copies the file for each comment."""

_FEW_PIXELS = 250_000
"""Images up to this size are decoded together with opening them."""

_BYTES_PER_PIXEL, _BYTES_PER_PIXEL_OF_LARGE = 10, 20
"""Memory limits per pixel of the largest allowed image: for opening any file, and for decoding a
large one. Some decoders take memory for the largest image already while they open a small one."""
_MEMORY_FOR_FILES = 16 * 2**20


def _memory_in_use() -> int:
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[5])
    except OSError:  # not Linux
        return 64 * 2**20
    return pages * resource.getpagesize()


_MEMORY = _memory_in_use() + _MEMORY_FOR_FILES


def serve(descriptor: int) -> None:
    """Answers messages until the other end of the socket is closed.

    Args:
        descriptor: file descriptor of the socket.
    """
    # One thread per core would use the processor time up faster, and multiply the memory.
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    messages = Messages(socket.socket(fileno=descriptor))
    while True:
        try:
            target, content = messages.receive()
            _answer(messages, content, Target(**target))
        except (EOFError, BrokenPipeError):
            return


def _answer(messages: Messages, content: bytes, target: Target) -> None:
    """Sends the description of a file, and its pixels if they are wanted."""
    try:
        _limit_resources(_BYTES_PER_PIXEL, target)
        opened = _open(content)
        description = {
            "format": opened.format,
            "width": opened.width,
            "height": opened.height,
            "in_python": opened.in_python,
        }
        if opened.held_pixels > _FEW_PIXELS:
            messages.send(description)
            answer, _ = messages.receive()
            if not answer["wanted"]:
                return
        if opened.held_pixels > LARGE_PIXELS:
            _limit_resources(_BYTES_PER_PIXEL_OF_LARGE, target)
        picture = opened.decode(target)
        pixels = picture.tobytes()
        messages.send({**description, "size": picture.size}, pixels)
    # For damaged data, Pillow's decoders raise almost any exception.
    except Exception as error:
        messages.send(_describe_error(error))


def _describe_error(error: Exception) -> dict[str, Any]:
    match error:
        case UnidentifiedImageError():
            return {"unknown": True}
        case TooCostly() | Image.DecompressionBombError():
            return {"too_costly": str(error)}
        case MemoryError():
            return {"too_costly": "decoding it takes too much memory"}
    return {"damaged": str(error)}


def _limit_resources(bytes_per_pixel: int, target: Target) -> None:
    """Limits the memory of this process, and its processor time from now on."""
    limits = {
        resource.RLIMIT_DATA: _MEMORY + bytes_per_pixel * target.max_pixels,
        resource.RLIMIT_CPU: int(time.process_time()) + 1 + MAX_SECONDS,
    }
    for kind, limit in limits.items():
        _, most = resource.getrlimit(kind)
        lower = limit if most == resource.RLIM_INFINITY else min(limit, most)
        resource.setrlimit(kind, (lower, most))


def _open(content: bytes) -> OpenedImage:
    if content.startswith(tiff.SIGNATURES):
        return tiff.open_tiff(content)
    comments = content.count(b"#") if content.startswith(_PLAIN) else 0
    if comments > _MAX_COMMENTS:
        raise TooCostly(f"it has {comments} comments, expected at most {_MAX_COMMENTS}")
    if content[4:8] == b"ftyp":
        content = _without_exif(content)
    image = Image.open(io.BytesIO(content), formats=ISOLATED_FORMATS)
    return OpenedImage(image, orientation=read_orientation(image.info.get("exif", b"")))


def _without_exif(avif: bytes) -> bytes:
    """Returns an AVIF file whose Exif item is renamed, since Pillow rejects damaged Exif data.

    The orientation of an AVIF image is not in its Exif data but a property of the image.
    """
    description, media, data = avif.partition(b"mdat")
    return b"".join([description.replace(b"Exif", b"none"), media, data])
