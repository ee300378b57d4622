"""The guided tour, and what each view says of its output."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.screen import Screen

STEPS = ("Draw", "Compare models", "Why?", "Look inside", "Fool it")


def heading(screen: Screen, number: int):
    name = f"Step {number} of {len(STEPS)}: {STEPS[number - 1]}"
    return screen.page.get_by_role("heading", name=name, exact=True)


def go_on(screen: Screen, number: int) -> None:
    screen.page.get_by_role("link", name=f"Next: {STEPS[number - 1]}").click()
    expect(heading(screen, number)).to_be_visible()


def test_the_tour_leads_through_the_real_views(screen):
    screen.open("")
    screen.page.get_by_role("link", name="Take the tour").click()
    expect(heading(screen, 1)).to_be_visible()
    expect(screen.card("cnn")).to_contain_text("Draw something")
    screen.draw()
    expect(screen.card("cnn").locator(".top")).to_be_visible()
    # The address of a step keeps what was drawn.
    assert screen.parameter("picture").startswith("png-")
    assert screen.parameter("tour") == "1"
    go_on(screen, 2)
    expect(screen.card("cnn").locator(".top")).to_have_text("Shirt")
    go_on(screen, 3)
    expect(screen.page.get_by_role("img", name="Saliency map of Ankle boot").first).to_be_visible()
    go_on(screen, 4)
    expect(screen.page.get_by_role("img", name="The channels of layer conv1,")).to_be_visible()
    go_on(screen, 5)
    expect(screen.button("Invert")).to_have_attribute("aria-pressed", "true")
    expect(screen.card("cnn").locator(".top")).to_be_visible()
    screen.inspect("tour")
    screen.page.get_by_role("link", name="Back").click()
    expect(heading(screen, 4)).to_be_visible()
    screen.page.get_by_role("link", name="End the tour").click()
    expect(screen.page).to_have_url(re.compile("#predict$"))
    expect(screen.page.locator(".tour")).to_have_count(0)


@pytest.mark.parametrize(
    ("view", "word", "meaning"),
    [
        ("predict?models=cnn", "probability", "How sure the model is"),
        ("saliency?model=cnn", "Grad-CAM", "Weighs the feature maps"),
        ("inside?model=cnn", "logits", "scores of the classes"),
        ("generate", "latent space", "A map of all pictures"),
        ("compress", "PSNR", "in decibels"),
    ],
)
def test_each_output_is_explained_in_words_that_can_be_looked_up(screen, view, word, meaning):
    screen.open(view)
    seeing = screen.page.locator(".seeing")
    expect(seeing).to_contain_text("What am I seeing?")
    expect(seeing.locator(".meaning")).to_be_hidden()
    seeing.get_by_role("button", name=word, exact=True).click()
    expect(seeing.locator(".meaning")).to_contain_text(f"{word}: ")
    expect(seeing.locator(".meaning")).to_contain_text(meaning)
    seeing.get_by_role("button", name=word, exact=True).click()
    expect(seeing.locator(".meaning")).to_be_hidden()
    # Every word that can be looked up has a meaning.
    for each in seeing.get_by_role("button").all():
        each.click()
        expect(seeing.locator(".meaning")).not_to_contain_text("undefined")
