from __future__ import annotations

import re

from tests.processes import SAMPLES


def test_the_first_page_names_calls_that_exist(client):
    response = client.get("/", buffered=True)
    assert response.status_code == 200
    assert response.mimetype == "text/html"
    links = re.findall(r'href="([^"]+)"', response.text)
    assert "/v1/models" in links
    assert [client.get(link, buffered=True).status_code for link in links] == [200] * len(links)


def test_the_sample_images_are_served(client):
    names = sorted(path.name for path in SAMPLES.glob("*.png"))
    assert "ankle_boot.png" in names
    for name in names:
        response = client.get(f"/static/samples/{name}", buffered=True)
        assert response.mimetype == "image/png"
        assert response.data == (SAMPLES / name).read_bytes()
