from __future__ import annotations

import json
import re

import numpy as np
import requests
from playwright.sync_api import Route, expect

from tests.browser.screen import Screen
from tests.processes import SAMPLES

METHODS = ("gradient", "smoothgrad", "integrated gradients", "gradcam")
FROM_OUTSIDE = ("occlusion", "rise")


def attribution(screen: Screen, method: str, class_index: int) -> np.ndarray:
    response = requests.post(
        f"{screen.url}/v1/models/cnn:saliency",
        (SAMPLES / "bag.png").read_bytes(),
        params={"method": method, "class_index": class_index},
        headers={"Content-Type": "image/png", "Accept": "application/json"},
        timeout=30,
    )
    return np.array(response.json()["explanations"][0]["attribution"])


def wait_for_all(screen: Screen, label: str) -> None:
    for method in METHODS:
        picture = screen.page.get_by_role("img", name=f"Saliency map of {label}, by {method}")
        expect(picture).to_be_visible()


def colours(screen: Screen, method: str) -> np.ndarray:
    """Return what is drawn at the middle of each of the 28 x 28 pixels: [28, 28, 4]."""
    canvas = screen.page.get_by_role("img", name=f"by {method}")
    shown = canvas.evaluate(
        """(canvas) => {
          const context = canvas.getContext("2d");
          const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
          const middle = (index) => 280 * (10 * Math.floor(index / 28) + 5) + 10 * (index % 28) + 5;
          const at = (index) => Array.from(data.subarray(4 * middle(index), 4 * middle(index) + 4));
          return Array.from({ length: 28 * 28 }, (_, index) => at(index));
        }"""
    )
    return np.array(shown).reshape(28, 28, 4)


def test_four_methods_stand_side_by_side(screen):
    screen.open("saliency?model=cnn&picture=bag")
    wait_for_all(screen, "Bag")
    assert screen.page.get_by_role("img", name="Saliency map").count() == len(METHODS)
    assert screen.page.locator(".map").count() == len(METHODS + FROM_OUTSIDE)
    screen.inspect("saliency")


def test_red_is_what_raises_the_score_and_blue_what_lowers_it(screen):
    screen.open("saliency?model=cnn&picture=bag&class=8&strength=1")
    wait_for_all(screen, "Bag")
    values = attribution(screen, "gradient", 8)
    strong = np.abs(values) > np.abs(values).max() / 2
    red, _, blue, _ = np.moveaxis(colours(screen, "gradient"), -1, 0)
    assert strong.any()
    assert np.array_equal(red[strong] > blue[strong], values[strong] > 0)


def test_class_method_and_strength_are_chosen_at_a_click(screen):
    screen.open("saliency?model=cnn&picture=bag")
    wait_for_all(screen, "Bag")
    screen.button("Coat").click()
    wait_for_all(screen, "Coat")
    screen.button("integrated gradients").click()
    answer = json.loads(screen.run_curl())
    assert answer["method"] == "integrated_gradients"
    assert answer["explanations"][0]["label"] == "Coat"
    screen.page.get_by_label("Overlay").fill("0")
    shown = colours(screen, "gradient")
    assert np.array_equal(shown[..., 0], shown[..., 2])
    chosen = re.compile("class=4&method=integrated_gradients&strength=0$")
    expect(screen.page).to_have_url(chosen)


def test_a_large_map_is_drawn(screen):
    screen.open("saliency?model=cnn&picture=bag")
    strongest = screen.page.evaluate(
        """async () => {
          const { drawHeat, heatOf } = await import("/studio/heat.js");
          const canvas = document.createElement("canvas");
          const heat = heatOf(Array.from({ length: 600 }, () => Array(600).fill(-2)));
          drawHeat(canvas, new OffscreenCanvas(600, 600), heat, 1);
          return Array.from(canvas.getContext("2d").getImageData(140, 140, 1, 1).data);
        }"""
    )
    assert strongest == [64, 140, 255, 255]


def test_of_two_models_the_last_one_chosen_is_shown_even_if_it_answers_first(screen):
    screen.open("saliency?model=cnn&picture=bag")
    wait_for_all(screen, "Bag")
    waiting: list[Route] = []

    def hold(route: Route) -> None:
        waiting.append(route)

    screen.page.route(re.compile("/mlp:saliency"), hold)
    models = screen.page.get_by_role("group", name="Model")
    with screen.page.expect_request(re.compile("/mlp:saliency")):
        models.get_by_text("mlp", exact=True).click()
    models.get_by_text("cnn", exact=True).click()
    screen.page.wait_for_timeout(300)
    [slow] = waiting
    slow.continue_()
    expect(screen.page.locator(".curl code")).to_contain_text("/models/cnn:saliency")
    wait_for_all(screen, "Bag")
    assert screen.page.locator(".map").count() == len(METHODS + FROM_OUTSIDE)
