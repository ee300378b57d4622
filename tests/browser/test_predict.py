from __future__ import annotations

import base64
import json
import re

import pytest
import requests
from playwright.sync_api import Locator, Route, expect

from tests.browser.screen import SIZES, Screen
from tests.processes import SAMPLES, wait_until


def ask(screen: Screen, model: str, image: bytes, **query: object) -> dict:
    response = requests.post(
        f"{screen.url}/v1/models/{model}:predict",
        image,
        params=query,
        headers={"Content-Type": "image/png"},
        timeout=30,
    )
    return response.json()["predictions"][0]


def picture_in_the_address(screen: Screen) -> bytes:
    text = screen.parameter("picture").removeprefix("png-")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def row(screen: Screen, model: str, label: str) -> Locator:
    name = screen.page.get_by_text(label, exact=True)
    return screen.card(model).locator("li").filter(has=name)


def test_the_first_page_shows_what_models_take_a_sample_for(screen):
    screen.open("")
    expect(screen.card("cnn").locator(".top")).to_have_text("Shirt")
    answer = ask(screen, "cnn", (SAMPLES / "shirt.png").read_bytes(), top=10)
    for top in answer["top"]:
        expect(row(screen, "cnn", top["label"])).to_contain_text(f"{100 * top['probability']:.1f}%")
    screen.inspect("predict")


def test_the_bars_follow_the_mouse_and_the_address_carries_the_drawing(screen):
    screen.open("predict?models=cnn,mlp")
    expect(screen.card("cnn").locator(".top")).to_have_text("Shirt")
    before = screen.card("cnn").locator(".bars").inner_text()
    screen.button("Clear").click()
    screen.draw()
    expect(screen.card("cnn").locator(".bars")).not_to_have_text(before)
    image = picture_in_the_address(screen)
    answers = {model: ask(screen, model, image) for model in ("cnn", "mlp")}
    for model, answer in answers.items():
        expect(screen.card(model).locator(".top")).to_have_text(answer["label"])
        expect(row(screen, model, answer["label"])).to_contain_text(
            f"{100 * answer['probability']:.1f}%"
        )
    screen.page.reload()
    expect(screen.card("mlp").locator(".top")).to_have_text(answers["mlp"]["label"])
    assert json.loads(screen.run_curl(1))["predictions"][0]["label"] == answers["mlp"]["label"]


def test_a_cleared_pad_predicts_nothing(screen):
    screen.open("predict?models=cnn&picture=bag")
    top = screen.card("cnn").locator(".top")
    expect(top).to_have_text("Bag")
    screen.button("Clear").click()
    expect(top).to_have_count(0)
    expect(screen.card("cnn")).to_contain_text("Draw something, or choose a sample.")
    assert screen.parameter("picture") == "blank"
    for view in ("saliency", "inside", "compress"):
        screen.open(f"{view}?picture=blank")
        expect(screen.page.locator("main").get_by_text("Draw something, or").first).to_be_visible()
        expect(screen.page.get_by_role("alert")).to_have_count(0)
    screen.button("bag").click()
    expect(screen.card("codec")).to_contain_text("dB")


def ink(screen: Screen) -> int:
    """The number of lit pixels on the pad."""
    pad = screen.pixels(screen.page.locator(".surface > canvas"))
    return int((pad[..., 0] > 0).sum())


def test_strokes_are_thick_or_thin_erased_and_undone(screen):
    screen.open("predict?models=cnn&picture=blank")
    assert ink(screen) == 0
    expect(screen.button("Undo")).to_be_disabled()
    screen.draw()
    usual = ink(screen)
    screen.button("Undo").click()
    # A cross is two strokes.
    assert 0 < ink(screen) < usual
    screen.button("Undo").click()
    expect(screen.card("cnn")).to_contain_text("Draw something, or choose a sample.")
    assert ink(screen) == 0
    screen.page.get_by_label("Brush").fill("8")
    screen.draw()
    thin = ink(screen)
    assert thin < usual / 2
    screen.button("Eraser").click()
    screen.page.get_by_label("Brush").fill("48")
    screen.draw()
    assert ink(screen) == 0
    screen.button("Undo").click()
    assert 0 < ink(screen) < thin
    screen.button("Clear").click()
    screen.button("Grey").click()
    expect(screen.button("Eraser")).to_have_attribute("aria-pressed", "false")
    screen.draw()
    assert screen.pixels(screen.page.locator(".surface > canvas")).max() == 128


def test_the_first_view_is_small_and_stands_still(screen):
    screen.page.add_init_script(
        """window.shifts = 0;
        new PerformanceObserver((list) => {
          for (const entry of list.getEntries()) window.shifts += entry.value;
        }).observe({ type: "layout-shift", buffered: true });"""
    )
    for width, height in SIZES.values():
        screen.page.set_viewport_size({"width": width, "height": height})
        screen.page.goto("about:blank")
        screen.open("")
        expect(screen.card("cnn").locator(".top")).to_have_text("Shirt")
        screen.page.wait_for_load_state("networkidle")
        assert screen.page.evaluate("window.shifts") < 0.02
    sizes = screen.page.evaluate(
        """() => ["navigation", "resource"]
          .flatMap((kind) => performance.getEntriesByType(kind))
          .map((entry) => entry.encodedBodySize)"""
    )
    assert len(sizes) > 10
    assert sum(sizes) < 200_000


def test_models_stand_by_accuracy(screen):
    screen.open("predict?models=cnn")
    chips = screen.page.get_by_role("group", name="Models").get_by_role("button")
    assert chips.all_inner_texts() == ["cnn 92.5%", "mlp 90.5%", "auto"]


def test_on_a_phone_the_prediction_and_every_view_are_in_sight(screen):
    screen.page.set_viewport_size({"width": 390, "height": 844})
    screen.open("predict?models=cnn")
    box = screen.card("cnn").locator(".top").bounding_box()
    assert box["y"] + box["height"] < 844
    for link in screen.page.get_by_role("navigation").get_by_role("link").all():
        edge = link.bounding_box()
        assert 0 <= edge["x"] < edge["x"] + edge["width"] <= 390


def test_the_lines_fold_away_and_stay_folded(screen):
    screen.open("predict?models=cnn")
    code = screen.page.locator(".curl code")
    expect(code).to_be_visible()
    screen.page.get_by_text("The same call from the command line").click()
    expect(code).to_be_hidden()
    screen.page.reload()
    expect(screen.card("cnn").locator(".top")).to_have_text("Shirt")
    expect(code).to_be_hidden()


def test_a_cascade_says_which_model_answered(screen):
    sure = {
        file.stem: ask(screen, "mlp", file.read_bytes())["probability"] >= 0.95
        for file in SAMPLES.glob("*.png")
    }
    assert set(sure.values()) == {True, False}
    texts = {True: "mlp was sure", False: "mlp unsure, cnn answered"}
    screen.open("predict?models=auto")
    for name, is_sure in sure.items():
        screen.button(name.replace("_", " ")).click()
        expect(screen.card("auto")).to_contain_text(texts[is_sure])


def test_pictures_are_opened_dropped_and_pasted(screen):
    screen.open("predict?models=cnn")
    top = screen.card("cnn").locator(".top")
    screen.page.get_by_label("Picture file").set_input_files(SAMPLES / "trouser.png")
    expect(top).to_have_text("Trouser")
    for event, target, name in (("drop", ".picture-input", "bag"), ("paste", "body", "sandal")):
        content = base64.b64encode((SAMPLES / f"{name}.png").read_bytes()).decode()
        screen.page.evaluate(
            """([event, target, content]) => {
              const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
              const transfer = new DataTransfer();
              transfer.items.add(new File([bytes], "picture.png", { type: "image/png" }));
              const options = { bubbles: true, cancelable: true };
              const made = event === "drop"
                ? new DragEvent("drop", { ...options, dataTransfer: transfer })
                : new ClipboardEvent("paste", { ...options, clipboardData: transfer });
              document.querySelector(target).dispatchEvent(made);
            }""",
            [event, target, content],
        )
        expect(top).to_have_text(name.capitalize())
    assert "picture=" not in screen.page.url


def test_a_dark_drawing_is_inverted(screen):
    screen.open("predict?models=cnn&picture=bag")
    screen.button("Invert").click()
    expect(screen.page.locator(".curl code")).to_contain_text("invert=true")
    answer = ask(screen, "cnn", (SAMPLES / "bag.png").read_bytes(), invert="true")
    expect(screen.card("cnn").locator(".top")).to_have_text(answer["label"])


def test_the_camera_is_watched_until_it_is_stopped(screen):
    screen.open("predict?models=cnn")
    camera = screen.button("Camera")
    camera.click()
    expect(screen.page).to_have_url(re.compile("picture=png-"))
    expect(camera).to_have_attribute("aria-pressed", "true")
    camera.click()
    expect(camera).to_have_attribute("aria-pressed", "false")


def test_a_sample_calls_off_a_camera_that_is_not_allowed_yet(screen):
    screen.open("predict?models=cnn")
    screen.page.evaluate(
        """() => {
          const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
          const allowed = new Promise((resolve) => { window.allow = resolve; });
          navigator.mediaDevices.getUserMedia = async (wanted) => {
            await allowed;
            window.stream = await open(wanted);
            return window.stream;
          };
        }"""
    )
    screen.button("Camera").click()
    screen.button("trouser").click()
    screen.page.evaluate("window.allow()")
    # The page's policy forbids what wait_for_function does.
    ended = "window.stream?.getTracks()[0].readyState === 'ended'"
    wait_until(lambda: screen.page.evaluate(ended), 5, "the camera is off")
    expect(screen.card("cnn").locator(".top")).to_have_text("Trouser")
    assert screen.parameter("picture") == "trouser"
    expect(screen.button("Camera")).to_have_attribute("aria-pressed", "false")


def test_an_address_without_a_known_view_shows_the_first(screen):
    screen.open("toString")
    expect(screen.page.locator("main h1")).to_have_text("Predict")
    expect(screen.card("cnn")).to_be_visible()


def test_lines_are_copied_and_do_the_same(screen):
    screen.open("predict?models=cnn&picture=dress")
    expect(screen.card("cnn").locator(".top")).to_have_text("Dress")
    screen.button("Copy").click()
    expect(screen.button("Copied")).to_be_visible()
    line = screen.page.locator(".curl code").inner_text()
    assert screen.page.evaluate("navigator.clipboard.readText()") == line
    assert json.loads(screen.run_curl())["predictions"][0]["label"] == "Dress"


def test_an_error_of_the_api_is_shown_as_it_is_and_asked_again(screen):
    problem = {"title": "Service Unavailable", "status": 503, "detail": "still loading: wait"}
    screen.page.route(
        re.compile(":predict"),
        lambda route: route.fulfill(
            status=503, content_type="application/problem+json", body=json.dumps(problem)
        ),
    )
    screen.open("predict?models=cnn&picture=bag")
    alert = screen.page.get_by_role("alert")
    expect(alert).to_contain_text("503 Service Unavailable")
    expect(alert).to_contain_text("still loading: wait")
    screen.page.unroute(re.compile(":predict"))
    alert.get_by_role("button", name="Try again").click()
    expect(screen.card("cnn").locator(".top")).to_have_text("Bag")
    # The browser itself reports every status of 400 and above.
    assert [text for text in screen.complaints if "503" not in text] == []
    screen.complaints.clear()


def test_all_can_be_done_by_keyboard(screen):
    screen.open("predict?models=cnn")
    screen.page.keyboard.press("Tab")
    screen.page.keyboard.press("Enter")
    assert screen.page.evaluate("document.activeElement.id") == "content"
    sample = screen.button("trouser")
    sample.focus()
    sample.press("Enter")
    expect(screen.card("cnn").locator(".top")).to_have_text("Trouser")
    expect(screen.page.locator("#announcer")).to_contain_text("cnn: Trouser")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_theme_is_chosen_and_kept(screen, theme):
    screen.open("")
    while theme not in screen.page.locator("#theme").inner_text():
        screen.page.locator("#theme").click()
    screen.page.reload()
    assert screen.page.evaluate("document.documentElement.dataset.theme") == theme


def test_a_key_is_asked_for_where_one_is_needed_and_sent_from_then_on(screen):
    problem = {"title": "Unauthorized", "status": 401, "detail": "no key was received"}
    received = []

    def answer(route: Route) -> None:
        received.append(route.request.headers.get("authorization"))
        if received[-1] == "Bearer 0123456789abcdef":
            route.continue_()
        else:
            content_type = "application/problem+json"
            route.fulfill(status=401, content_type=content_type, body=json.dumps(problem))

    screen.page.route(re.compile("/v1/"), answer)
    screen.open("predict?models=cnn&picture=bag")
    expect(screen.page.get_by_role("alert")).to_contain_text("no key was received")
    key = screen.page.get_by_label("API key")
    key.fill("0123456789abcde\N{EURO SIGN}")
    assert not key.evaluate("(field) => field.checkValidity()")
    key.fill("0123456789abcdef")
    screen.page.keyboard.press("Enter")
    expect(screen.card("cnn").locator(".top")).to_have_text("Bag")
    line = screen.page.locator(".curl code")
    expect(line).to_contain_text("curl -H 'Authorization: Bearer KEY'")
    assert received[0] is None
    assert set(received[1:]) == {"Bearer 0123456789abcdef"}
    # The browser itself reports every status of 400 and above.
    assert [text for text in screen.complaints if "401" not in text] == []
    screen.complaints.clear()


def test_a_picture_that_the_address_cuts_off_is_told(screen):
    screen.open("predict?picture=png-*")
    expect(screen.page.get_by_role("alert")).to_contain_text("copy the whole address")


def test_the_picture_goes_along_from_view_to_view(screen):
    screen.open("predict?picture=trouser&invert=true")
    screen.page.get_by_role("link", name="Compress", exact=True).click()
    expect(screen.page).to_have_url(re.compile(r"#compress\?picture=trouser&invert=true$"))
    expect(screen.button("Invert")).to_have_attribute("aria-pressed", "true")
    screen.page.go_back()
    expect(screen.card("cnn")).to_be_visible()
