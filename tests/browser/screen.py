"""A browser's tab that shows the studio, and what every view of it must hold to."""

from __future__ import annotations

import base64
import io
import re
import subprocess
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Locator, Page, expect

SCREENSHOTS = Path(__file__).parent / "screenshots"
SECONDS = 30  # for an answer; other work may hold the processors
SIZES = {"desktop": (1280, 900), "phone": (390, 844)}
SCHEMES = ("light", "dark")

expect.set_options(timeout=SECONDS * 1000)


class Screen:
    """A tab.

    Attributes:
        page: Playwright's.
        url: of the gateway.
        complaints: errors and warnings of the console, and scripts that failed.
        visited: the hosts that were asked for something.
    """

    def __init__(self, page: Page, url: str) -> None:
        page.set_default_timeout(SECONDS * 1000)
        self.page = page
        self.url = url
        self.complaints: list[str] = []
        self.visited: set[str] = set()

    def note(self, kind: str, text: str) -> None:
        if kind in {"error", "warning"}:
            self.complaints.append(text)

    def open(self, address: str) -> None:
        """Open a view, given as its part of the address: `predict?picture=bag`."""
        self.page.goto(f"{self.url}/#{address}")
        expect(self.page.locator("main h1")).to_be_visible()
        expect(self.page.get_by_text("Loading the models")).to_have_count(0)

    def button(self, name: str) -> Locator:
        """Return the button of this name that is no word to look up."""
        buttons = self.page.get_by_role("button", name=name, exact=True)
        return buttons.and_(self.page.locator(":not(.term)"))

    def card(self, name: str) -> Locator:
        """Return the box with this heading."""
        heading = self.page.get_by_role("heading", name=name, exact=True)
        return self.page.locator(".card").filter(has=heading)

    def parameter(self, name: str) -> str:
        """Return what the address says once nothing has changed it for a moment."""
        before = None
        while before != self.page.url:
            before = self.page.url
            self.page.wait_for_timeout(500)
        return parse_qs(urlsplit(self.page.url).fragment.partition("?")[2])[name][0]

    def open_file(self, name: str, content: bytes, media_type: str = "image/jpeg") -> None:
        """Open a picture file."""
        field = self.page.get_by_label("Picture file")
        field.set_input_files({"name": name, "mimeType": media_type, "buffer": content})

    @staticmethod
    def pixels(canvas: Locator) -> np.ndarray:
        """Return what an opaque canvas shows: [height, width, 3]."""
        url = canvas.evaluate("(canvas) => canvas.toDataURL()")
        with Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))) as image:
            return np.asarray(image.convert("RGB"))

    def draw(self) -> None:
        """Draw a cross with the mouse."""
        box = self.page.locator(".surface > canvas").bounding_box()
        assert box is not None
        for path in (((0.2, 0.2), (0.8, 0.8)), ((0.8, 0.2), (0.2, 0.8))):
            (x, y), (to_x, to_y) = path
            mouse = self.page.mouse
            mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
            mouse.down()
            mouse.move(box["x"] + to_x * box["width"], box["y"] + to_y * box["height"], steps=8)
            mouse.up()

    def run_curl(self, line: int = 0, box: int = 0) -> bytes:
        """Run a line of those to copy, as a shell does, and return what it prints or writes."""
        lines = self.page.locator(".curl code").nth(box).inner_text().splitlines()
        command = re.sub(" -o [a-z.]+$", "", lines[line]).replace("curl ", "curl -sS --fail ")
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", command],
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, (command, done.stderr)
        return done.stdout

    def inspect(self, name: str) -> None:
        """Photograph the view as it stands, wide and narrow, light and dark, and look for barriers.

        No axe-core rule of serious impact may be violated, and nothing may stick out sideways.
        """
        for scheme in SCHEMES:
            self.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            for size, (width, height) in SIZES.items():
                self.page.set_viewport_size({"width": width, "height": height})
                SCREENSHOTS.mkdir(exist_ok=True)
                file = SCREENSHOTS / f"{name}-{size}-{scheme}.png"
                self.page.screenshot(path=file, full_page=True)
                assert self.page.evaluate("document.documentElement.scrollWidth") <= width
            self._assert_accessible()
        self.page.set_viewport_size({"width": SIZES["desktop"][0], "height": SIZES["desktop"][1]})

    def _assert_accessible(self) -> None:
        report = Axe().run(self.page).response
        assert report["passes"], "axe-core has looked at nothing"
        barriers = {
            rule["id"]: [node["failureSummary"] for node in rule["nodes"]]
            for rule in report["violations"]
            if rule["impact"] in {"serious", "critical"}
        }
        assert barriers == {}
