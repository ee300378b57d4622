from __future__ import annotations

import re
from pathlib import Path

import pytest

from services.gateway.studio.routes import routes
from tests.processes import SAMPLES

STUDIO = Path(routes.static_folder or "")
MODULES = sorted(path.relative_to(STUDIO) for path in STUDIO.rglob("*.js"))


def test_the_first_page_is_the_studio_and_what_it_loads_is_there(client):
    response = client.get("/", buffered=True)
    assert response.status_code == 200
    assert response.mimetype == "text/html"
    loaded = re.findall(r'(?:href|src)="([^"#][^"]*)"', response.text)
    assert "studio/main.js" in loaded
    answers = {path: client.get(f"/{path}", buffered=True).status_code for path in loaded}
    assert answers == dict.fromkeys(loaded, 200)


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_imported_modules_are_served(client, module):
    source = client.get(f"/studio/{module}", buffered=True)
    assert source.mimetype == "text/javascript"
    for imported in re.findall(r'from "([^"]+)"', source.text):
        assert (STUDIO / module.parent / imported).is_file(), imported


def test_nothing_of_a_page_is_inline_so_that_no_script_can_be_slipped_in(client):
    for path in ("/", "/docs"):
        with client.get(path) as response:
            assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\bsrc=)", response.text)
            assert "default-src 'self';" in response.headers["Content-Security-Policy"]


def test_the_sample_images_are_served(client):
    names = sorted(path.name for path in SAMPLES.glob("*.png"))
    assert "ankle_boot.png" in names
    for name in names:
        response = client.get(f"/static/samples/{name}", buffered=True)
        assert response.mimetype == "image/png"
        assert response.data == (SAMPLES / name).read_bytes()


def test_the_sample_photographs_are_served_and_say_whose_they_are(client):
    folder = "/static/samples/photographs"
    index = client.get(f"{folder}/index.json", buffered=True).json
    assert {photograph["file"] for photograph in index} == {
        path.name for path in (SAMPLES / "photographs").glob("*.jpg")
    }
    for photograph in index:
        assert all(photograph[key] for key in ("description", "author", "licence", "source"))
        response = client.get(f"{folder}/{photograph['file']}", buffered=True)
        assert response.mimetype == "image/jpeg"
        assert len(response.data) <= 80_000
