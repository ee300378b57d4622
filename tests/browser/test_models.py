from __future__ import annotations

import json
import re

from playwright.sync_api import expect

from tests.processes import ROOT


def test_what_is_served_is_told_with_its_quality(screen):
    screen.open("models")
    card = (ROOT / "models/cnn/1/assets.extra/README.md").read_text()
    [accuracy] = re.findall(r"^\| accuracy \| ([\d.]+) \|$", card, re.MULTILINE)
    cnn = screen.card("cnn")
    expect(cnn).to_contain_text(re.compile(r"version \d+ · available"))
    expect(cnn.locator(".measure")).to_have_text(f"{accuracy} accuracy")
    expect(screen.card("auto")).to_contain_text("and cnn where mlp is less than 95% sure")
    served = [model["name"] for model in json.loads(screen.run_curl())["models"]]
    assert screen.page.locator(".card h3").all_inner_texts() == served
    screen.inspect("models")


def test_a_card_is_opened_and_closed(screen):
    screen.open("models")
    screen.card("cnn").get_by_role("button", name="Card").click()
    dialog = screen.page.get_by_role("dialog", name="The card of cnn")
    expect(dialog.get_by_role("heading", name="Measured")).to_be_visible()
    expect(dialog.get_by_role("cell", name="accuracy", exact=True)).to_be_visible()
    screen.inspect("card")
    screen.page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


def test_calls_of_this_page_are_measured(screen):
    screen.open("models")
    expect(screen.card("codec")).to_contain_text("Not called from this page yet")
    screen.page.get_by_role("link", name="Compress", exact=True).click()
    expect(screen.card("codec")).to_contain_text("dB")
    screen.page.get_by_role("link", name="Models", exact=True).click()
    expect(screen.card("codec")).to_contain_text(
        re.compile(r"compress \d+ ms \(\d+\), decompress \d+ ms")
    )


def test_a_task_leads_to_its_view(screen):
    screen.open("models")
    screen.card("mlp").get_by_role("link", name="saliency").click()
    pressed = screen.page.get_by_role("group", name="Model").locator("[aria-pressed=true]")
    expect(pressed).to_have_text("mlp 90.5%")
