"""Decodes files of many formats, one after the other, in a process of little memory and time.

Receives a target and a file, and answers with the description of the file; then receives whether it
is wanted, and answers with its pixels.
"""

from __future__ import annotations

import io
import json
import resource
import time
from multiprocessing.connection import Connection
from typing import Any

from PIL import AvifImagePlugin, Image, UnidentifiedImageError

from services.gateway.codecs.image_files import tiff
from services.gateway.codecs.image_files.bounds import TooCostly
from services.gateway.codecs.image_files.decoding_process import (
    ISOLATED_FORMATS,
    MAX_SECONDS,
    WANTED,
)
from services.gateway.codecs.image_files.exif import read_orientation
from services.gateway.codecs.image_files.opened_image import LARGE_PIXELS, OpenedImage, Target

_PLAIN = (b"P1", b"P2", b"P3")
_MAX_COMMENTS = 1_000
"""Of the plain variants of PPM, for each of which Pillow copies the file."""

_MEMORY = 64 * 2**20
_BYTES_PER_PIXEL, _BYTES_PER_PIXEL_OF_LARGE = 10, 20
"""Of the most pixels that a file may have. Some decoders take the first while they open a file."""


def serve(descriptor: int) -> None:
    """Answers until the other end of the socket is closed.

    Args:
        descriptor: of the socket.
    """
    # A thread for each core would divide the time, and multiply the memory.
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    with Connection(descriptor) as connection:
        while True:
            try:
                target = Target(**json.loads(connection.recv_bytes()))
                _answer(connection, connection.recv_bytes(), target)
            except (EOFError, BrokenPipeError):
                return


def _answer(connection: Connection, content: bytes, target: Target) -> None:
    """Describes a file, and decodes it if that is wanted."""
    try:
        _limit(_MEMORY + _BYTES_PER_PIXEL * target.max_pixels)
        opened = _open(content)
        _tell(
            connection,
            format=opened.format,
            width=opened.width,
            height=opened.height,
            in_python=opened.in_python,
        )
        if connection.recv_bytes() != WANTED:
            return
        if opened.held_pixels > LARGE_PIXELS:
            _limit(_MEMORY + _BYTES_PER_PIXEL_OF_LARGE * target.max_pixels)
        picture = opened.decode(target)
        _tell(connection, picture.tobytes(), size=picture.size)
    except UnidentifiedImageError:
        _tell(connection, unknown=True)
    except (TooCostly, Image.DecompressionBombError) as error:
        _tell(connection, too_costly=str(error))
    except MemoryError:
        _tell(connection, too_costly="decoding it takes too much memory")
    # Given damaged data, Pillow's decoders raise nearly anything.
    except Exception as error:
        _tell(connection, damaged=str(error))


def _limit(memory: int) -> None:
    """Limits the memory of this process, and the time that it runs from now on."""
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (memory, most))
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time()) + 1 + MAX_SECONDS, most))


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
    """Renames the item of an AVIF file whose damage Pillow would not forgive.

    The orientation of such a file is a property of the image.
    """
    description, media, data = avif.partition(b"mdat")
    return b"".join([description.replace(b"Exif", b"none"), media, data])


def _tell(connection: Connection, pixels: bytes = b"", **values: Any) -> None:
    connection.send_bytes(json.dumps(values).encode())
    connection.send_bytes(pixels)
