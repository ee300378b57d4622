from __future__ import annotations

import json

import requests
from playwright.sync_api import expect

from tests.browser.screen import Screen


def text_after(screen: Screen, prompt: str, seed: int, temperature: float) -> str:
    body = {"prompt": prompt, "seed": seed, "temperature": temperature}
    answer = requests.post(f"{screen.url}/v1/models/writer:generate", json=body, timeout=30)
    return answer.json()["samples"][0]["text"]


def test_a_text_is_continued_again_and_again(photographs):
    page = photographs.page
    photographs.open("text?prompt=Once&seed=5&temperature=0.5")
    expect(page.get_by_role("link", name="Text", exact=True)).to_be_visible()
    story, pieces = page.locator(".story"), page.locator(".story mark")
    first = text_after(photographs, "Once", 5, 0.5)
    expect(pieces).to_have_text([first])
    second = text_after(photographs, f"Once{first}", 6, 0.5)
    page.get_by_label("Prompt").press("Control+Enter")
    expect(pieces).to_have_text([first, second])
    third = text_after(photographs, f"Once{first}{second}", 7, 0.5)
    photographs.button("Continue").press("Enter")
    expect(pieces).to_have_text([first, second, third])
    expect(story).to_have_text(f"Once{first}{second}{third}")
    expect(story.locator(".given")).to_have_text("Once")
    [sample] = json.loads(photographs.run_curl())["samples"]
    assert (sample["text"], sample["seed"]) == (third, 7)
    photographs.inspect("text")

    photographs.button("Start again").click()
    expect(pieces).to_have_text([first])
    page.get_by_label("Seed").fill("9")
    page.get_by_label("Seed").press("Enter")
    expect(pieces).to_have_text([text_after(photographs, "Once", 9, 0.5)])
    page.get_by_label("Temperature").fill("1.2")
    expect(pieces).to_have_text([text_after(photographs, "Once", 9, 1.2)])
    page.get_by_label("Prompt").fill("Größe 🦉")
    expect(pieces).to_have_count(0)
    expect(story).to_have_text("Größe 🦉")
    photographs.button("Continue").click()
    expect(pieces).to_have_text([text_after(photographs, "Größe 🦉", 9, 1.2)])
    assert photographs.parameter("prompt") == "Größe 🦉"
    page.get_by_label("Prompt").fill("a" * 1990)
    photographs.button("Continue").click()
    expect(pieces.last).to_contain_text("1990 letters")
    photographs.button("Continue").click()
    # A long text is continued from its end.
    expect(pieces.last).to_contain_text("2000 letters")
