"""The studio in a real browser: Chromium, and the suite over a few small models."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.browser.screen import Screen
from tests.processes import ROOT, free_port, module, running, wait_until

NAMES = ("cnn", "mlp", "codec", "autoencoder", "vae")
DESKTOP = {"width": 1280, "height": 900}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a gateway whose models are all ready."""
    folder = tmp_path_factory.mktemp("models")
    for name in NAMES:
        (folder / name).symlink_to(ROOT / "models" / name)
    config = folder / "models.config"
    entries = [
        f'config {{ name: "{name}" base_path: "{folder}/{name}" model_platform: "tensorflow" }}'
        for name in NAMES
    ]
    config.write_text(f"model_config_list {{ {' '.join(entries)} }}")
    grpc_port, rest_port, port = free_port(), free_port(), free_port()
    server = module(
        "services.model_server",
        f"--port={grpc_port}",
        f"--rest_api_port={rest_port}",
        f"--model_config_file={config}",
    )
    settings = {
        "LECTERN_PORT": str(port),
        "LECTERN_MODEL_SERVER": f"127.0.0.1:{grpc_port}",
        "LECTERN_MODEL_CONFIG_FILE": str(config),
        "LECTERN_CASCADES": "auto=mlp>cnn@0.95",
    }
    url = f"http://127.0.0.1:{port}"
    with running(*server), running(*module("services.gateway"), environment=settings) as gateway:
        gateway.wait_for_line("Listening at")
        wait_until(lambda: requests.get(f"{url}/readyz", timeout=60).ok, 180, "every model ready")
        yield url


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    executable = shutil.which("chromium")
    if executable is None:
        pytest.fail("chromium is missing; on Debian: apt-get install chromium")
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(
            executable_path=executable,
            args=[
                "--no-sandbox",
                "--use-fake-device-for-media-stream",
                "--use-fake-ui-for-media-stream",
            ],
        )


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    with browser.new_context(
        viewport=DESKTOP, permissions=["camera", "clipboard-read", "clipboard-write"]
    ) as context:
        yield context


@pytest.fixture
def screen(context: BrowserContext, studio: str) -> Iterator[Screen]:
    """A tab that may neither complain nor ask another host; see `Screen.complaints`."""
    page: Page = context.new_page()
    screen = Screen(page, studio)
    page.on("console", lambda message: screen.note(message.type, message.text))
    page.on("pageerror", lambda error: screen.note("error", str(error)))
    page.on("request", lambda request: screen.visited.add(urlsplit(request.url).netloc))
    yield screen
    assert screen.complaints == []
    assert screen.visited - {"", urlsplit(studio).netloc} == set()
