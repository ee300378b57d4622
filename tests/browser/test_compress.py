from __future__ import annotations

import io
import re

import numpy as np
import requests
from PIL import Image
from playwright.sync_api import expect

from tests.browser.screen import Screen
from tests.processes import SAMPLES

DECIBELS = re.compile(r"([\d.]+) dB")
BYTES = re.compile(r"(\d+) bytes \+ (\d+) of headers")


def grey(file: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(file)) as image:
        return np.asarray(image.convert("L"), np.float64)


def psnr(images: np.ndarray, restored: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / np.mean((images - restored) ** 2)))


def shown(screen: Screen, name: str) -> tuple[float, int, int]:
    """Return the decibels, the bytes of data and of headers that a card tells."""
    card = screen.card(name)
    expect(card).to_contain_text(DECIBELS)
    text = card.inner_text()
    [decibels], [sizes] = DECIBELS.findall(text), BYTES.findall(text)
    return float(decibels), int(sizes[0]), int(sizes[1])


def test_original_model_and_formats_stand_side_by_side(screen):
    screen.open("compress?model=codec&picture=sneaker")
    expect(screen.card("Original")).to_contain_text("784 bytes")
    for name in ("codec", "JPEG", "WebP"):
        shown(screen, name)
    screen.inspect("compress")


def test_the_models_sizes_and_quality_are_those_of_the_api(screen):
    screen.open("compress?model=codec&picture=sneaker")
    decibels, data, headers = shown(screen, "codec")
    original = (SAMPLES / "sneaker.png").read_bytes()
    container = requests.post(
        f"{screen.url}/v1/models/codec:compress",
        original,
        headers={"Content-Type": "image/png"},
        timeout=30,
    ).content
    assert (data, data + headers) == (32, len(container))
    restored = screen.run_curl()
    assert abs(decibels - psnr(grey(original), grey(restored))) <= 0.051


def test_formats_get_as_many_bytes_as_the_model(screen):
    screen.open("compress?model=autoencoder&picture=bag")
    for name in ("JPEG", "WebP"):
        expect(screen.card(name)).not_to_contain_text("cannot be this small")
        _, data, _ = shown(screen, name)
        assert 0 < data <= 128
    screen.button("whole files").click()
    for name in ("JPEG", "WebP"):
        expect(screen.card(name)).to_contain_text("cannot be this small")
        _, data, headers = shown(screen, name)
        assert data + headers > 128


def test_a_format_is_measured_as_any_other_program_would(screen):
    screen.open("compress?model=autoencoder&picture=bag")
    decibels, data, headers = shown(screen, "JPEG")
    original = (SAMPLES / "bag.png").read_bytes()
    files = screen.page.evaluate(
        """async (size) => {
          const { pictureOf } = await import("/studio/picture.js");
          const { pixelFile, pixelsOf } = await import("/studio/pixels.js");
          const image = { width: 28, height: 28, channels: 1 };
          const pixels = await pixelsOf((await pictureOf("bag")).blob, image, false);
          const files = [];
          for (let quality = 0; quality < 100; quality += 1) {
            const file = await pixelFile(pixels, image, "image/jpeg", quality / 100);
            if (file.size > size) break;
            const content = new Uint8Array(await file.arrayBuffer());
            if (content.length === size) files.push(Array.from(content));
          }
          return files;
        }""",
        data + headers,
    )
    ratios = [psnr(grey(original), grey(bytes(file))) for file in files]
    # Decoders may round differently, by a grey level here and there.
    assert min(abs(ratio - decibels) for ratio in ratios) < 0.3
