"""The manual builds, its links lead somewhere, and it loads nothing from another host."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import ROOT

LOADED = re.compile(
    r"""<(?:script|img|iframe|source|video)\b[^>]*\bsrc=["']?(?P<src>[^"'\s>]+)"""
    r"""|<link\b[^>]*\bhref=["']?(?P<href>[^"'\s>]+)"""
    r"""|url\(["']?(?P<url>[^"')]+)"""
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the manual; the strict build fails on a broken link or anchor."""
    folder = tmp_path_factory.mktemp("manual") / "site"
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", folder]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


def test_nothing_is_loaded_from_another_host(site):
    pages = [*site.rglob("*.html"), *site.rglob("*.css")]
    assert len(pages) > 20
    loaded = {
        next(filter(None, match.groups()))
        for page in pages
        for match in LOADED.finditer(page.read_text())
    }
    assert len(loaded) > 10
    assert [each for each in loaded if re.match(r"(https?:)?//", each)] == []


def test_every_marker_is_replaced(site):
    left = {
        page.name
        for page in site.rglob("*.html")
        if re.search(r"<!-- (table|include|http)", page.read_text())
    }
    assert left == set()


def test_the_reference_has_every_call_setting_and_flag(site):
    calls = (site / "reference/http-api.html").read_text()
    assert "POST /v1/models/{model}:saliency" in calls
    assert "POST /v2/models/{model}/infer" in calls
    settings = (site / "reference/settings.html").read_text()
    assert "LECTERN_MAX_ANSWER_NUMBERS" in settings
    assert "--rest_api_timeout_in_ms" in settings
    metrics = (site / "reference/metrics.html").read_text()
    assert ":tensorflow:serving:request_count<" in metrics
    assert "http_requests_total<" in metrics
    assert "class_index" in (site / "reference/client.html").read_text()
    commands = (site / "reference/command-line.html").read_text()
    assert "python -m training figure curves" in commands


def test_the_search_finds_the_settings(site):
    assert "LECTERN_CASCADES" in (site / "search/search_index.json").read_text()
