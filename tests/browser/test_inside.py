from __future__ import annotations

import io
import json
import re

import numpy as np
import requests
from PIL import Image
from playwright.sync_api import expect

from tests.browser.screen import Screen
from tests.processes import SAMPLES


def layer(screen: Screen, text: str):
    return screen.page.get_by_role("group", name="Layer").first.get_by_text(text, exact=True)


def tiles(screen: Screen, name: str):
    image = screen.page.get_by_role("img", name=f"The channels of layer {name},")
    expect(image).to_be_visible()
    return image


def test_layers_stand_in_the_order_in_which_a_picture_passes_them(screen):
    screen.open("inside?model=cnn&picture=sandal")
    tiles(screen, "conv1")
    expect(screen.page.get_by_alt_text("Image that activates Ankle boot")).to_have_count(0)
    expect(screen.page.get_by_alt_text("Image that activates Trouser")).to_be_visible()
    names = screen.page.get_by_role("group", name="Layer").first.get_by_role("button")
    assert names.all_inner_texts() == [
        *("rescale 28×28×1", "conv1 26×26×32", "pool1 13×13×32", "conv2 11×11×64"),
        *("pool2 5×5×64", "conv3 3×3×64", "flatten 576", "dense 64", "logits 10"),
    ]
    screen.inspect("inside")


def test_a_feature_map_is_clicked_to_see_where_it_fires_and_what_it_looks_for(screen):
    screen.open("inside?model=cnn&picture=sandal&layer=conv1")
    sheet = tiles(screen, "conv1")
    box = sheet.bounding_box()
    # 32 tiles in rows of 6; near its right edge, a tile is not yet the next one.
    sheet.click(position={"x": 4.8 * box["width"] / 6, "y": 1.5 * box["height"] / 6})
    expect(screen.page.get_by_role("slider", name="Feature map")).to_have_value("10")
    # The eighth is the second of the second row.
    sheet.click(position={"x": 1.5 * box["width"] / 6, "y": 1.5 * box["height"] / 6})
    fires = screen.page.get_by_role("img", name="Where channel 7 of conv1 fires")
    expect(fires).to_be_visible()
    expect(screen.page.get_by_role("slider", name="Feature map")).to_have_value("7")
    shown, every = screen.pixels(fires), screen.pixels(sheet)
    # Between two tiles are 4 pixels.
    height, width = ((size + 4) // 6 - 4 for size in every.shape[:2])
    tile = every[height + 4 : 2 * height + 4, width + 4 : 2 * width + 4]
    assert np.array_equal(shown, tile)
    expect(screen.page.get_by_alt_text("What channel 7 of conv1 looks for")).to_be_visible()
    layer(screen, "dense 64").click()
    expect(screen.page.get_by_role("slider", name="Feature map")).to_have_count(0)
    layer(screen, "logits 10").click()
    best = screen.page.locator(".bars .is-top")
    expect(best).to_contain_text("Sandal")
    scores = requests.post(
        f"{screen.url}/v1/models/cnn:activations",
        (SAMPLES / "sandal.png").read_bytes(),
        params={"layer": "logits"},
        headers={"Content-Type": "image/png", "Accept": "application/json"},
        timeout=30,
    ).json()["activations"][0]["activation"]
    expect(best).to_contain_text(f"{max(scores):.2f}")
    assert screen.page.locator(".bars li").count() == len(scores)


def test_the_tiles_are_those_that_curl_gets(screen):
    screen.open("inside?model=cnn&picture=sandal")
    layer(screen, "pool1 13×13×32").click()
    image = tiles(screen, "pool1")
    expect(screen.page).to_have_url(re.compile("layer=pool1"))
    with Image.open(io.BytesIO(screen.run_curl())) as expected:
        shown = image.evaluate("(canvas) => [canvas.width, canvas.height]")
        assert shown == list(expected.size)


def test_a_model_that_does_not_tell_its_signatures_is_asked_again(screen):
    metadata = re.compile("/cnn/metadata")
    body = json.dumps({"title": "Service Unavailable", "status": 503, "detail": "still loading"})
    screen.page.route(
        metadata,
        lambda route: route.fulfill(status=503, content_type="application/problem+json", body=body),
    )
    screen.open("inside?model=cnn&picture=bag")
    alert = screen.page.get_by_role("alert")
    expect(alert).to_contain_text("503 Service Unavailable")
    screen.page.unroute(metadata)
    alert.get_by_role("button", name="Try again").click()
    tiles(screen, "conv1")
    # The browser itself reports every status of 400 and above.
    assert [text for text in screen.complaints if "503" not in text] == []
    screen.complaints.clear()


def test_channels_are_leafed_through(screen):
    screen.open("inside?model=cnn&of=logits")
    expect(screen.page.get_by_alt_text("Image that activates Trouser")).to_be_visible()
    screen.button("Next channels").click()
    expect(screen.page.get_by_alt_text("Image that activates Coat")).to_be_visible()
    screen.button("Next channels").click()
    boot = screen.page.get_by_alt_text("Image that activates Ankle boot")
    expect(boot).to_be_visible()
    assert screen.page.get_by_alt_text("Image that activates").count() == 2
    body = {"layer": "logits", "channels": [8, 9], "seed": 0}
    url = f"{screen.url}/v1/models/cnn:visualize"
    answer = requests.post(url, json=body, headers={"Accept": "application/json"}, timeout=30)
    activation = answer.json()["visualizations"][1]["activation"]
    expect(screen.page.locator("figure").filter(has=boot)).to_contain_text(f"{activation:.1f}")
    picture = np.asarray(Image.open(io.BytesIO(screen.run_curl(box=1))))
    assert picture.std() > 0
    screen.button("Another start").click()
    expect(screen.page).to_have_url(re.compile("of=logits&channel=8&seed=1$"))


def test_channels_that_a_layer_does_not_have_are_not_asked_for(screen):
    screen.open("inside?model=cnn&of=logits&channel=999")
    expect(screen.page.get_by_alt_text("Image that activates Ankle boot")).to_be_visible()
    assert screen.page.get_by_alt_text("Image that activates").count() == 2


def test_a_model_that_is_chosen_starts_at_its_first_channels(screen):
    screen.open("inside?model=cnn&layer=pool1&of=logits&channel=8")
    expect(screen.page.get_by_alt_text("Image that activates Ankle boot")).to_be_visible()
    screen.page.get_by_role("group", name="Model").get_by_text("cnn", exact=True).click()
    expect(screen.page.get_by_alt_text("Image that activates Trouser")).to_be_visible()
    tiles(screen, "conv1")
    assert screen.parameter("model") == "cnn"
    assert not re.search("layer=|of=|channel=", screen.page.url)
