from __future__ import annotations

import base64
import io
import re

import numpy as np
import pytest
import requests
from PIL import Image
from playwright.sync_api import Locator, expect

from tests.browser.screen import Screen
from tests.processes import SAMPLES

STEPS = 24


def generate(screen: Screen, **body: object) -> list[dict]:
    url = f"{screen.url}/v1/models/vae:generate"
    answer = requests.post(url, json=body, headers={"Accept": "application/json"}, timeout=30)
    return answer.json()["samples"]


def pixels(file: str) -> np.ndarray:
    with Image.open(io.BytesIO(base64.b64decode(file))) as image:
        return np.asarray(image, np.float64)


def file_of(image: Locator) -> str:
    expect(image).to_have_attribute("src", re.compile("base64"))
    return str(image.get_attribute("src")).partition("base64,")[2]


@pytest.mark.parametrize("form", ["grid", "sliders", "map", "walk"])
def test_every_form_is_for_everyone(screen, form):
    screen.page.emulate_media(reduced_motion="reduce")
    screen.open(f"generate?model=vae&form={form}")
    expect(screen.page.locator("main img[src]").first).to_be_visible()
    screen.inspect(f"generate-{form}")


def test_the_grid_shows_the_images_of_its_seeds(screen):
    screen.open("generate?model=vae&seed=7&temperature=0.5")
    expected = generate(screen, seed=7, count=STEPS, temperature=0.5)
    for sample in (expected[0], expected[-1]):
        image = screen.page.get_by_alt_text(f"seed {sample['seed']}", exact=True)
        assert file_of(image) == sample["image"]["b64"]
    screen.button("More").click()
    expect(screen.page.get_by_alt_text(f"seed {7 + STEPS}", exact=True)).to_be_visible()
    assert screen.parameter("seed") == str(7 + STEPS)


def test_an_image_of_the_grid_is_changed_by_sliders(screen):
    screen.open("generate?model=vae")
    screen.button("seed 3").click()
    image = screen.page.get_by_alt_text("The image of these numbers")
    before = file_of(image)
    [sample] = generate(screen, seed=3, count=1)
    # The address rounds the numbers to two decimals.
    assert np.abs(pixels(before) - pixels(sample["image"]["b64"])).mean() < 2
    screen.page.get_by_label("1", exact=True).fill("3")
    expect(image).not_to_have_attribute("src", f"data:image/png;base64,{before}")
    latent = [float(number) for number in screen.parameter("latent").split(",")]
    assert latent[0] == 3
    [moved] = generate(screen, latent=[latent])
    assert file_of(image) == moved["image"]["b64"]


def test_the_map_is_wandered_over_by_the_mouse(screen):
    screen.open("generate?model=vae&form=map&seed=4")
    expect(screen.page.locator(".atlas img")).to_have_count(64)
    box = screen.page.locator(".atlas").bounding_box()
    screen.page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + box["height"] * 0.25, steps=5)
    x, y = float(screen.parameter("x")), float(screen.parameter("y"))
    assert (x, y) == pytest.approx((-0.75, 0.75), abs=0.02)
    across, up = (np.array(sample["latent"]) for sample in generate(screen, seed=4, count=2))
    [expected] = generate(screen, latent=[(x * across + y * up).round(3).tolist()])
    shown = file_of(screen.page.get_by_alt_text("The image of this place"))
    assert np.abs(pixels(shown) - pixels(expected["image"]["b64"])).mean() < 1


def test_a_walk_leads_from_one_picture_to_another(screen):
    screen.page.emulate_media(reduced_motion="reduce")
    screen.open("generate?model=vae&form=walk&from=bag&to=trouser")
    files = [
        {"b64": base64.b64encode((SAMPLES / f"{name}.png").read_bytes()).decode()}
        for name in ("bag", "trouser")
    ]
    expected = generate(screen, instances=files, steps=STEPS)
    image = screen.page.get_by_alt_text("A step of the walk")
    assert file_of(image) == expected[0]["image"]["b64"]
    screen.page.get_by_label("Step").fill(str(STEPS - 1))
    assert file_of(image) == expected[-1]["image"]["b64"]
    screen.button("Play").click()
    expect(image).not_to_have_attribute("src", re.compile(re.escape(expected[-1]["image"]["b64"])))
    screen.button("Pause").click()


def test_a_walk_starts_from_an_opened_file(screen):
    screen.page.emulate_media(reduced_motion="reduce")
    screen.open("predict?models=cnn")
    file = SAMPLES / "trouser.png"
    screen.page.get_by_label("Picture file").set_input_files(file)
    expect(screen.card("cnn").locator(".top")).to_have_text("Trouser")
    screen.page.get_by_role("link", name="Generate", exact=True).click()
    screen.button("A walk between two").click()
    content = base64.b64encode(file.read_bytes()).decode()
    expect(screen.page.locator(".curl code")).to_contain_text(f'[{{"b64":"{content}"}}')


def test_a_walk_starts_from_the_negative_of_an_inverted_picture(screen):
    screen.page.emulate_media(reduced_motion="reduce")
    screen.open("generate?form=walk&picture=bag&invert=true")
    line = screen.page.locator(".curl code")
    expect(line).to_contain_text("instances")
    [sent] = re.findall(r'"instances":\[{"b64":"([^"]+)"', line.inner_text())
    with Image.open(SAMPLES / "bag.png") as bag:
        negative = 255 - np.asarray(bag.convert("L"), np.float64)
    assert np.array_equal(pixels(sent)[..., 0], negative)
