"""The studio in a real browser: Chromium, and gateways over several model repositories."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.browser.photograph_models import MODELS
from tests.browser.screen import Screen
from tests.fakes import CLASSIFIER, LOADING, FakeModelServer, FakeVersion
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
    grpc_port, rest_port = free_port(), free_port()
    server = module(
        "services.model_server",
        f"--port={grpc_port}",
        f"--rest_api_port={rest_port}",
        f"--model_config_file={config}",
    )
    settings = {
        "LECTERN_MODEL_SERVER": f"127.0.0.1:{grpc_port}",
        "LECTERN_MODEL_CONFIG_FILE": str(config),
        "LECTERN_CASCADES": "auto=mlp>cnn@0.95",
    }
    with running(*server), running_gateway(settings) as url:
        wait_until(lambda: requests.get(f"{url}/readyz", timeout=60).ok, 180, "every model ready")
        yield url


@contextmanager
def running_gateway(settings: dict[str, str]) -> Iterator[str]:
    """Run a gateway, and give its address."""
    port = free_port()
    environment = {"LECTERN_PORT": str(port), **settings}
    with running(*module("services.gateway"), environment=environment) as gateway:
        gateway.wait_for_line("Listening at")
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="session")
def photograph_server() -> Iterator[FakeModelServer]:
    """A model server whose models say where in a photograph they see red."""
    models = {name: {1: FakeVersion(signatures)} for name, signatures in MODELS.items()}
    models["late"] = {1: FakeVersion(CLASSIFIER, LOADING)}
    server = FakeModelServer(models).start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def photograph_studio(photograph_server: FakeModelServer) -> Iterator[str]:
    """The address of a gateway for classifiers of drawings and of photographs."""
    settings = {
        "LECTERN_MODEL_SERVER": photograph_server.address,
        "LECTERN_MODELS": ",".join(photograph_server.models),
    }
    with running_gateway(settings) as url:
        yield url


@pytest.fixture(scope="session")
def plain_studio(photograph_server: FakeModelServer) -> Iterator[str]:
    """The address of a gateway whose models carry no tasks."""
    settings = {
        "LECTERN_MODEL_SERVER": photograph_server.address,
        "LECTERN_MODELS": "plain,numbers",
    }
    with running_gateway(settings) as url:
        yield url


@pytest.fixture(scope="session")
def empty_studio(
    photograph_server: FakeModelServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The address of a gateway for an empty model repository."""
    config = tmp_path_factory.mktemp("empty") / "models.config"
    config.write_text("model_config_list {}")
    settings = {
        "LECTERN_MODEL_SERVER": photograph_server.address,
        "LECTERN_MODEL_CONFIG_FILE": str(config),
    }
    with running_gateway(settings) as url:
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
    with watched(context, studio) as screen:
        yield screen


@pytest.fixture
def photographs(context: BrowserContext, photograph_studio: str) -> Iterator[Screen]:
    with watched(context, photograph_studio) as screen:
        yield screen


@pytest.fixture
def plain(context: BrowserContext, plain_studio: str) -> Iterator[Screen]:
    with watched(context, plain_studio) as screen:
        yield screen


@pytest.fixture
def empty(context: BrowserContext, empty_studio: str) -> Iterator[Screen]:
    with watched(context, empty_studio) as screen:
        yield screen


@contextmanager
def watched(context: BrowserContext, url: str) -> Iterator[Screen]:
    """A tab that may neither complain nor ask another host; see `Screen.complaints`."""
    page: Page = context.new_page()
    screen = Screen(page, url)
    page.on("console", lambda message: screen.note(message.type, message.text))
    page.on("pageerror", lambda error: screen.note("error", str(error)))
    page.on("request", lambda request: screen.visited.add(urlsplit(request.url).netloc))
    yield screen
    assert screen.complaints == []
    assert screen.visited - {"", urlsplit(url).netloc} == set()
