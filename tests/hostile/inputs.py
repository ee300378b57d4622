"""What is sent: a function per kind of input, the same for every surface that takes the kind."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
from PIL import Image

MEGABYTE = 2**20

# JSON values.


def nested(depth: int, opening: bytes = b"[", closing: bytes = b"]") -> bytes:
    return opening * depth + b"1" + closing * depth


def repeated(value: bytes, count: int) -> bytes:
    return b"[" + b",".join([value] * count) + b"]"


def text(size: int, of: bytes = b"a") -> bytes:
    return b'["' + of * (size // len(of)) + b'"]'


def base64_text(size: int, of: bytes = b"A") -> bytes:
    return b'[{"b64":"' + of * (size // len(of)) + b'"}]'


def padded(size: int) -> bytes:
    return b"[" + b" " * size + b"1]"


def keys(count: int) -> bytes:
    return b"[{" + b",".join(b'"%d":1' % number for number in range(count)) + b"}]"


JSON_ODDITIES: dict[str, bytes] = {
    "nothing": b"",
    "null": b"null",
    "a boolean": b"[true]",
    "a number": b"1",
    "an empty list": b"[]",
    "lists of nothing": b"[[],[[]]]",
    "ragged lists": b"[[1,2],[3]]",
    "a list in a scalar's place": b"[1,[2]]",
    "an object": b'[{"a":1}]',
    "mixed kinds": b'[1,"a",true,null,{},[]]',
    "NaN": b"[NaN]",
    "nan": b"[nan]",
    "Infinity": b"[Infinity,-Infinity]",
    "Inf": b"[Inf,-Inf]",
    "+Infinity": b"[+Infinity]",
    "a float above all": b"[1e999]",
    "a float below all": b"[-1e999]",
    "a float near zero": b"[1e-999]",
    "minus zero": b"[-0]",
    "an integer of 65 bits": b"[36893488147419103232]",
    "an integer of 5,000 digits": b"[" + b"9" * 5000 + b"]",
    "a fraction of 5,000 digits": b"[0." + b"9" * 5000 + b"]",
    "an exponent of 5,000 digits": b"[1e" + b"9" * 5000 + b"]",
    "the least int32 and the one below": b"[-2147483648,-2147483649]",
    "a leading zero": b"[01]",
    "hexadecimal": b"[0x10]",
    "underscores": b"[1_000]",
    "a bare point": b"[.5]",
    "a comma at the end": b"[1,]",
    "a comment": b"[1/*2*/]",
    "single quotes": b"['a']",
    "half a surrogate pair": b'["\\ud800"]',
    "a surrogate pair the wrong way round": b'["\\udc00\\ud800"]',
    "half a pair beside NaN": b'[NaN,"\\ud800"]',
    "a zero byte": b'["\x00"]',
    "an escaped zero byte": b'["\\u0000"]',
    "no UTF-8": b'["\xff\xfe"]',
    "UTF-8 of a surrogate": b'["\xed\xa0\x80"]',
    "UTF-8 that is longer than it need be": b'["\xc0\x80"]',
    "UTF-16": "[1]".encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf[1]",
    "an open list": b"[1",
    "an open string": b'["a',
    "an open escape": b'["\\u00',
    "base64 with a member beside it": b'[{"b64":"AAAA","a":1}]',
    "base64 that is a number": b'[{"b64":1}]',
    "base64 that is none": b'[{"b64":"\xe4\xbd\xa0"}]',
    "base64 of one letter": b'[{"b64":"A"}]',
    "base64 of nothing": b'[{"b64":""}]',
    "base64 with blanks": b'[{"b64":"A A\\nA="}]',
    "the same key twice": b'[{"images":1,"images":2}]',
    "an empty key": b'[{"":1}]',
    "a prototype": b'[{"__proto__":{"a":1},"__class__":1}]',
    "lists 65 deep": nested(65),
    "lists 900 deep": nested(900),
    "objects 900 deep": nested(900, b'{"a":', b"}"),
    "lists 100,000 deep": nested(100_000),
    "objects 100,000 deep": nested(100_000, b'{"a":', b"}"),
    "lists 100,000 deep and open": b"[" * 100_000,
}
"""Small values that stand in a tensor's place."""

# Code containers.


def container(
    *,
    kind: bytes = b"u1",
    version: int = 1,
    count: int = 1,
    size: int = 32,
    shape: tuple[int, ...] = (28, 28, 1),
    name: bytes = b"codec",
    magic: bytes = b"LCTC",
    format_version: int = 1,
    codes: bytes | None = None,
    dimensions: int | None = None,
    name_length: int | None = None,
) -> bytes:
    """Return a container whose checksum is right, whatever else is not."""
    content = struct.pack(
        "<4sB2sqIIBH",
        magic,
        format_version,
        kind,
        version,
        count,
        size,
        len(shape) if dimensions is None else dimensions,
        len(name) if name_length is None else name_length,
    )
    content += struct.pack(f"<{len(shape)}I", *shape) + name
    content += bytes(32) if codes is None else codes
    return content + struct.pack("<I", zlib.crc32(content))


_MOST = 2**32 - 1
CONTAINERS: dict[str, bytes] = {
    "a head alone": b"LCTC",
    "no checksum": container()[:-4],
    "a wrong checksum": container()[:-1] + b"\x00",
    "the most codes": container(count=_MOST),
    "the most numbers in a code": container(size=_MOST),
    "the most of both": container(count=_MOST, size=_MOST),
    "no codes": container(count=0, codes=b""),
    "codes of nothing": container(size=0, codes=b""),
    "the largest image": container(shape=(_MOST, _MOST, _MOST)),
    "an image of another size": container(shape=(4000, 4000, 1)),
    "an image of nothing": container(shape=(0, 0, 0)),
    "255 dimensions": container(dimensions=255),
    "no dimensions": container(dimensions=0),
    "no channels": container(shape=(28, 28)),
    "a name beyond the end": container(name_length=65535),
    "a name that is no text": container(name=b"\xff\xfe\xff\xfe\xff"),
    "no name": container(name=b""),
    "another model's name": container(name=b"cnn"),
    "a path for a name": container(name=b"../../etc/passwd"),
    "a later format": container(format_version=2),
    "format 0": container(format_version=0),
    "another dtype": container(kind=b"f8"),
    "floats for bytes": container(kind=b"f4", size=8),
    "floats that are no numbers": container(
        kind=b"f4", name=b"autoencoder", codes=np.full(32, np.nan, "<f4").tobytes()
    ),
    "a version below 0": container(version=-(2**63)),
    "the last version": container(version=2**63 - 1),
}

# Compressed bodies.


def gzip_bomb(size: int) -> bytes:
    """Return a few kilobytes that become so many zeros."""
    stream = zlib.compressobj(9, wbits=31)
    block = bytes(MEGABYTE)
    return b"".join(stream.compress(block) for _ in range(size // MEGABYTE)) + stream.flush()


# Forms.

BOUNDARY = "b"


def part(
    name: str = "files", content: bytes = b"", filename: str | None = "a.png", more: bytes = b""
) -> bytes:
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"'
    if filename is not None:
        head += f'; filename="{filename}"'
    return head.encode() + b"\r\n" + more + b"\r\n" + content + b"\r\n"


def multipart(*parts: bytes) -> bytes:
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def picture(form: str, width: int = 28, height: int = 28) -> bytes:
    """Return a picture in one of Pillow's formats."""
    file = io.BytesIO()
    Image.new("RGB", (width, height)).save(file, form)
    return file.getvalue()


def png(width: int = 28, height: int = 28) -> bytes:
    return picture("PNG", width, height)
