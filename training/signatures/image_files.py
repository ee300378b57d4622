"""Decodes PNG and JPEG files in the graph, and bounds the cost before it starts."""

from __future__ import annotations

import tensorflow as tf

MAX_PIXELS = 16_000_000
MAX_PIXELS_PER_BYTE = 8 * 1032
"""Reached by PNG files with one bit per pixel at DEFLATE's best compression ratio, 1032; JPEG files
have fewer. A header with more pixels is false, but would still allocate memory for them."""
MAX_JPEG_SCANS = 100
"""Each scan costs a pass over the image, but can be a few bytes long. Encoders write about ten."""

_PNG_START = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
_PNG_HEADER_BYTES = 24  # The start, the width and the height.
_JPEG_START = b"\xff\xd8\xff"
_JPEG_SCAN_START = b"\xff\xda"


def decode_images(files: tf.Tensor, height: int, width: int, channels: int) -> tf.Tensor:
    """Returns the images of files, resized, float32 [N, height, width, channels].

    Files that are damaged, too large or neither PNG nor JPEG fail with INVALID_ARGUMENT.

    Args:
        files: Contents of PNG and JPEG files, string [N].
        height: Rows of each image.
        width: Columns of each image.
        channels: 1 for grey, 3 for colour, 4 for colour with opacity.
    """

    def decode(file: tf.Tensor) -> tf.Tensor:
        image = tf.io.decode_image(file, channels=channels, expand_animations=False)
        image.set_shape([None, None, channels])
        return tf.image.resize(image, [height, width], antialias=True)

    with tf.control_dependencies(_cost_checks(files)):
        files = tf.identity(files)
    spec = tf.TensorSpec([height, width, channels], tf.float32)
    # Two files at a time, so that the memory for decoding does not grow with the batch.
    return tf.map_fn(decode, files, parallel_iterations=2, fn_output_signature=spec)


def _cost_checks(files: tf.Tensor) -> list[tf.Operation]:
    """Returns operations that fail for files that would cost too much to decode."""
    jpeg_files, png_files = _starting_with(files, _JPEG_START), _starting_with(files, _PNG_START)
    known_files = tf.concat([jpeg_files, png_files], axis=0)
    sizes = tf.concat([_jpeg_sizes(jpeg_files), _png_sizes(png_files)], axis=0)
    file_bytes = tf.cast(tf.strings.length(known_files), tf.int64)
    most = tf.minimum(tf.constant(MAX_PIXELS, tf.int64), MAX_PIXELS_PER_BYTE * file_bytes)
    # Compressed data cannot contain this marker: in it, a zero byte follows every 0xFF.
    scans = tf.strings.split(jpeg_files, _JPEG_SCAN_START).row_lengths() - 1
    return [
        tf.debugging.Assert(
            tf.size(known_files) == tf.size(files),
            ["image_bytes must be PNG or JPEG files; received another format"],
        ),
        tf.debugging.Assert(
            tf.reduce_all(tf.reduce_prod(sizes, axis=1) <= most),
            [
                f"an image may have at most {MAX_PIXELS} pixels, and {MAX_PIXELS_PER_BYTE} per "
                "byte of its file; received heights and widths, and bytes",
                sizes,
                file_bytes,
            ],
        ),
        tf.debugging.Assert(
            tf.reduce_all(scans <= MAX_JPEG_SCANS),
            [f"a JPEG file may have at most {MAX_JPEG_SCANS} scans; received", scans],
        ),
    ]


def _starting_with(files: tf.Tensor, start: bytes) -> tf.Tensor:
    """Returns the files that start with these bytes, string [M]."""
    return tf.boolean_mask(files, tf.strings.substr(files, 0, len(start)) == start)


def _jpeg_sizes(files: tf.Tensor) -> tf.Tensor:
    """Returns the height and width in each header, int64 [N, 2]."""
    return tf.map_fn(
        lambda file: tf.cast(tf.image.extract_jpeg_shape(file)[:2], tf.int64),
        files,
        fn_output_signature=tf.TensorSpec([2], tf.int64),
    )


def _png_sizes(files: tf.Tensor) -> tf.Tensor:
    """Returns the height and width in each header, int64 [N, 2]."""
    # The fixed length truncates longer files and pads shorter ones with zeros.
    words = tf.io.decode_raw(files, tf.int32, little_endian=False, fixed_length=_PNG_HEADER_BYTES)
    return tf.cast(tf.reverse(words[:, -2:], axis=[1]), tf.int64)
