"""Photographs: shown as they were taken, upright, and with the map where the model sees it."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.screen import SECONDS, Screen
from tests.processes import wait_until

UPRIGHT = 0x0112
TURNED = 6
"""EXIF's orientation of a picture whose stored rows are its columns."""


def photograph(width: int, height: int, orientation: int = 1) -> bytes:
    """A green photograph with a red top left quarter, once it is upright; as a JPEG file."""
    pixels = np.full((height, width, 3), (40, 90, 40), np.uint8)
    pixels[: height // 2, : width // 2] = (220, 30, 30)
    image = Image.fromarray(pixels)
    if orientation == TURNED:
        image = image.transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[UPRIGHT] = orientation
    file = io.BytesIO()
    image.save(file, "JPEG", quality=95, exif=exif)
    return file.getvalue()


def is_red(pixels: np.ndarray) -> np.ndarray:
    red, green, blue = np.moveaxis(pixels.astype(int), -1, 0)
    return red > np.maximum(green, blue) + 60


def is_blue(pixels: np.ndarray) -> np.ndarray:
    red, _, blue = np.moveaxis(pixels.astype(int), -1, 0)
    return blue > red + 60


def quarters(mask: np.ndarray) -> list[float]:
    """The share of each quarter that a mask covers, without the seams between them."""
    height, width = mask.shape
    seam = max(4, height // 16)
    rows = slice(seam, height // 2 - seam), slice(height // 2 + seam, height - seam)
    columns = slice(seam, width // 2 - seam), slice(width // 2 + seam, width - seam)
    return [float(mask[row, column].mean()) for row in rows for column in columns]


def shown_photograph(screen: Screen) -> np.ndarray:
    return screen.pixels(screen.page.locator(".photograph canvas"))


def saliency_map(screen: Screen, label: str = ".+") -> np.ndarray:
    name = re.compile(f"^Saliency map of {label}, by gradient$")
    canvas = screen.page.get_by_role("img", name=name)
    expect(canvas).to_be_visible()
    return screen.pixels(canvas)


@pytest.mark.parametrize("orientation", [1, TURNED])
@pytest.mark.parametrize("model", ["corners", "any_size"])
def test_a_photograph_is_shown_upright_and_in_its_shape_and_classified(
    photographs, model, orientation
):
    photographs.open(f"predict?models={model}")
    photographs.open_file("holiday.jpg", photograph(300, 500, orientation))
    expect(photographs.card(model).locator(".top")).to_have_text("top left")
    shown = shown_photograph(photographs)
    assert shown.shape[:2] == (500, 300)
    assert quarters(is_red(shown)) == pytest.approx([1, 0, 0, 0], abs=0.02)
    expect(photographs.page.locator(".picture-input")).to_contain_text(
        "holiday.jpg: the file stays"
    )


@pytest.mark.parametrize("orientation", [1, TURNED])
@pytest.mark.parametrize("size", [(500, 250), (200, 420)])
def test_the_map_lies_where_the_model_sees_it_in_the_shape_of_the_photograph(
    photographs, size, orientation
):
    photographs.open("saliency?model=corners&strength=1")
    photographs.open_file("holiday.jpg", photograph(*size, orientation))
    shown = saliency_map(photographs, "top left")
    width, height = size
    assert shown.shape[1] / shown.shape[0] == pytest.approx(width / height, rel=0.01)
    # Nothing but the map is red: the photograph under it has lost most of its colours.
    assert quarters(is_red(shown)) == pytest.approx([1, 0, 0, 0], abs=0.02)
    photographs.page.get_by_label("Find a class").fill("bottom right")
    photographs.page.keyboard.press("Enter")
    assert quarters(is_blue(saliency_map(photographs, "bottom right"))) == pytest.approx(
        [1, 0, 0, 0], abs=0.02
    )


def test_without_its_map_a_photograph_has_its_own_colours(photographs):
    photographs.open("saliency?model=corners&strength=0")
    photographs.open_file("holiday.jpg", photograph(320, 240))
    shown = saliency_map(photographs, "top left")
    assert np.abs(shown[200, 300].astype(int) - (40, 90, 40)).max() < 8


def test_the_line_to_copy_sends_the_file_that_was_opened(photographs):
    photographs.open("predict?models=corners")
    photographs.open_file("it's me.jpg", photograph(64, 64))
    code = photographs.page.locator(".curl code")
    expect(code).to_contain_text(r"-H 'Content-Type: image/jpeg' --data-binary @'it'\''s me.jpg'")


def test_a_file_that_the_browser_cannot_show_is_classified_all_the_same(photographs):
    file = io.BytesIO()
    Image.open(io.BytesIO(photograph(40, 40))).save(file, "TIFF")
    photographs.open("predict?models=corners")
    photographs.open_file("scan.tiff", file.getvalue(), "image/tiff")
    expect(photographs.card("corners").locator(".top")).to_have_text("top left")
    expect(photographs.page.locator(".photograph")).to_contain_text("cannot show scan.tiff")


def test_models_are_grouped_by_what_they_take(photographs):
    photographs.open("predict")
    kinds = photographs.page.locator(".kin")
    assert [kind.get_attribute("aria-label") for kind in kinds.all()] == [
        "Drawings, 28×28 grey",
        "Photographs, 96×64 colour",
        "Photographs, any size, colour",
    ]
    assert kinds.nth(1).get_by_role("button").all_inner_texts() == ["corners", "plain"]
    photographs.open("models")
    headings = photographs.page.get_by_role("heading", level=2).all_inner_texts()
    assert headings[-1] == "The same call from the command line"
    assert headings[:-1] == [
        "Drawings, 28×28 grey",
        "Photographs, 96×64 colour",
        "Photographs, any size, colour",
        "Photographs, 32×32 colour",
        "Other inputs",
        "Text",
    ]
    expect(photographs.card("numbers")).to_contain_text("Takes no images")
    link = photographs.card("writer").get_by_role("link", name="text")
    expect(link).to_have_attribute("href", "#text?model=writer")
    photographs.inspect("kinds")


def test_the_input_fits_the_models_that_are_chosen(photographs):
    photographs.open("predict?models=digits")
    page = photographs.page
    pad, frame = page.locator(".surface > canvas"), page.locator(".photograph canvas")
    drawings = page.get_by_role("group", name="Samples", exact=True)
    samples = page.get_by_role("group", name="Sample photographs")
    expect(pad).to_be_visible()
    expect(frame).to_be_hidden()
    expect(samples).to_be_hidden()
    # Beside a model of another kind, the picture stays and each card shows what its model sees.
    photographs.button("corners").click()
    expect(pad).to_be_visible()
    expect(samples).to_be_visible()
    expect(photographs.card("corners").locator(".top")).not_to_have_text("…")
    seen = page.get_by_role("img", name="What this model sees")
    sizes = seen.evaluate_all("(all) => all.map(({ width, height }) => [width, height])")
    assert sizes == [[28, 28], [96, 64]]
    # Alone, it gets a photograph.
    photographs.button("digits").click()
    expect(frame).to_be_visible()
    expect(pad).to_be_hidden()
    expect(drawings).to_be_hidden()
    assert photographs.parameter("picture") == "cat"
    expect(page.locator(".picture-input")).to_contain_text("Photograph: Stefan van der Walt")
    # And the drawing is there again for the first model.
    photographs.button("digits").click()
    photographs.button("corners").click()
    expect(pad).to_be_visible()
    assert photographs.parameter("picture") == "shirt"


def test_another_view_starts_with_models_for_the_picture(photographs):
    photographs.open("predict?picture=coffee")
    expect(photographs.card("corners")).to_be_visible()
    expect(photographs.card("digits")).to_have_count(0)
    photographs.page.get_by_role("link", name="Saliency", exact=True).click()
    pressed = photographs.page.get_by_role("group", name="Model", exact=True).locator(
        "[aria-pressed=true]"
    )
    expect(pressed).to_have_text("corners")
    saliency_map(photographs)
    assert photographs.parameter("picture") == "coffee"


def test_a_photograph_outlasts_a_view_that_shows_none(photographs):
    photographs.open("predict?picture=coffee")
    photographs.page.get_by_role("link", name="Generate", exact=True).click()
    expect(photographs.page.get_by_alt_text("seed 0", exact=True)).to_be_visible()
    photographs.page.get_by_role("link", name="Predict", exact=True).click()
    expect(photographs.card("corners")).to_be_visible()
    assert photographs.parameter("picture") == "coffee"


def test_a_photograph_is_compressed_in_its_colours(photographs):
    photographs.open("compress?model=colour_codec")
    photographs.open_file("holiday.jpg", photograph(300, 200))
    card = photographs.card("colour_codec")
    expect(photographs.card("Original")).to_contain_text("3072 bytes")
    expect(card).to_contain_text("12 bytes")
    restored = photographs.page.get_by_role("img", name="colour_codec, restored")
    wait_until(
        lambda: quarters(is_red(photographs.pixels(restored))) == [1, 0, 0, 0],
        SECONDS,
        "the restored photograph",
    )
    # The corners have one colour each, so that their means are almost all there is to know.
    [decibels] = re.findall(r"([\d.]+) dB", card.inner_text())
    assert float(decibels) > 25
    expect(photographs.page.get_by_role("img", name="JPEG, restored")).to_be_visible()


def test_of_a_thousand_classes_the_first_five_are_shown_and_any_is_found(photographs):
    photographs.open("predict?models=corners")
    photographs.open_file("holiday.jpg", photograph(64, 64))
    card = photographs.card("corners")
    rows = card.locator(".bars li:visible")
    expect(card.locator(".top")).to_have_text("top left")
    expect(rows).to_have_count(5)
    field = card.get_by_label("Find a class")
    field.fill("crane")
    options = card.get_by_role("option")
    assert options.all_inner_texts() == ["crane\n134", "crane\n517"]
    field.press("ArrowDown")
    field.press("Enter")
    expect(rows).to_have_count(6)
    expect(rows.last).to_contain_text("crane")
    expect(rows.last).to_contain_text("0.0%")
    expect(photographs.page.locator(".curl code")).to_contain_text("top=1000")
    assert photographs.page.locator("li").count() < 20
    photographs.inspect("thousand")


def test_a_class_that_is_found_is_explained(photographs):
    photographs.open("saliency?model=corners")
    photographs.open_file("holiday.jpg", photograph(64, 64))
    saliency_map(photographs, "top left")
    field = photographs.page.get_by_label("Find a class")
    field.fill("517")
    photographs.page.get_by_role("option", name="crane").first.click()
    saliency_map(photographs, "crane")
    assert photographs.parameter("class") == "517"
    classes = photographs.page.get_by_role("group", name="Class")
    expect(classes.locator("[aria-pressed=true]")).to_have_text("crane")
    field.fill("no such class")
    expect(photographs.page.get_by_role("option")).to_have_count(0)


def test_the_camera_takes_photographs_for_models_that_take_them(photographs):
    photographs.open("predict?models=corners")
    camera = photographs.button("Camera")
    camera.click()
    expect(photographs.page.locator(".picture-input")).to_contain_text("camera.jpg")
    expect(camera).to_have_attribute("aria-pressed", "true")
    camera.click()
    expect(photographs.page.get_by_role("img", name="The picture: camera.jpg")).to_be_visible()
    assert shown_photograph(photographs).shape[:2] == (420, 560)


def test_a_classifier_without_tasks_is_classified_and_explained_from_outside(photographs):
    photographs.open("predict?models=plain")
    photographs.open_file("holiday.jpg", photograph(96, 64))
    expect(photographs.card("plain").locator(".top")).to_have_text("class 0")
    # Its scores are no probabilities, since they do not sum to 1.
    expect(photographs.card("plain").locator(".is-top .value")).to_have_text(
        re.compile(r"^0\.\d\d$")
    )
    photographs.page.get_by_role("link", name="Saliency", exact=True).click()
    photographs.button("plain").click()
    canvas = photographs.page.get_by_role("img", name="Saliency map of class 0, by occlusion")
    expect(canvas).to_be_visible()
    share = quarters(is_red(photographs.pixels(canvas)))
    assert share[0] > 0.5 > max(share[1:])


def test_methods_from_outside_wait_to_be_asked_for_where_there_are_faster_ones(photographs):
    photographs.open("saliency?model=corners&picture=cat")
    saliency_map(photographs)
    maps = photographs.page.get_by_role("img", name="Saliency map")
    expect(maps).to_have_count(1)
    rise = photographs.page.locator(".map").filter(has=photographs.button("rise"))
    rise.get_by_role("button", name="Explain").click()
    expect(photographs.page.get_by_role("img", name="by rise")).to_be_visible()
    expect(maps).to_have_count(2)
    expect(photographs.page).to_have_url(re.compile("method=rise"))


def test_it_is_told_how_faithful_a_map_is(photographs):
    photographs.open("saliency?model=corners")
    photographs.open_file("holiday.jpg", photograph(96, 64))
    photographs.button("How faithful?").click()
    expect(photographs.page.locator(".map").first).to_contain_text("insertion")
    expect(photographs.page.locator(".curl code")).to_contain_text("score=true")
    expect(photographs.page.get_by_text("Deletion is the mean score")).to_be_visible()
    photographs.inspect("faithful")
