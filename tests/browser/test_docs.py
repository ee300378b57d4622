from __future__ import annotations

from playwright.sync_api import expect


def test_swagger_ui_shows_the_calls_under_the_policy_of_the_gateway(screen):
    screen.page.goto(f"{screen.url}/docs")
    predict = screen.page.get_by_text("/v1/models/{model}:predict", exact=False)
    expect(predict.first).to_be_visible()
