"""Repositories without models, or without tasks, and addresses of models that are not there."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.fakes import AVAILABLE, LOADING

VIEWS = ("predict", "saliency", "inside", "generate", "text", "compress", "models")
EXPORT = "lectern export flowers.keras --name flowers --labels labels.txt\nlectern serve"


@pytest.mark.parametrize("view", VIEWS)
def test_an_empty_repository_says_how_to_fill_it(empty, view):
    empty.open(view)
    expect(empty.page.get_by_role("alert")).to_have_count(0)
    expect(empty.page.get_by_text("The model repository is empty.")).to_be_visible()
    commands = empty.page.locator("pre.commands")
    assert commands.first.inner_text() == EXPORT
    expect(commands.last).to_contain_text("lectern export keras:MobileNetV2")
    if view == "predict":
        empty.inspect("empty")


@pytest.mark.parametrize("view", ["inside", "generate", "text", "compress"])
def test_models_without_a_task_say_which_command_adds_it(plain, view):
    plain.open(view)
    expect(plain.page.get_by_role("alert")).to_have_count(0)
    expect(plain.page.locator(".empty")).to_contain_text("No model that is ready has the task")
    shown = plain.page.locator(".empty pre.commands")
    if view == "inside":
        expect(shown).to_have_text("lectern export FILE.keras --name plain")
        plain.inspect("plain-inside")
    else:
        # A classifier does not compress or write.
        expect(shown).to_have_count(0)


def test_the_models_view_says_what_a_plain_model_is_missing(plain):
    plain.open("models")
    expect(plain.card("plain")).to_contain_text("lectern export FILE.keras --name plain")
    expect(plain.card("numbers")).to_contain_text("call it with JSON")
    expect(plain.page.get_by_role("link", name="Text", exact=True)).to_be_hidden()


def test_a_view_names_the_models_that_it_leaves_out(photographs):
    photographs.open("inside")
    left_out = photographs.page.locator(".left-out")
    expect(left_out).to_contain_text("Not listed: plain")
    left_out.locator("summary").click()
    expect(left_out).to_contain_text("lectern export FILE.keras --name plain")


def test_a_model_that_is_not_ready_is_told_and_tried_again(photographs, photograph_server):
    photographs.open("predict")
    expect(photographs.page.locator(".left-out")).to_have_text(
        "Not ready yet: late. Reload the page in a moment."
    )
    photographs.open("predict?models=late")
    alert = photographs.page.get_by_role("alert")
    expect(alert).to_contain_text("“late” has no version that is ready")
    photograph_server.models["late"][1].state = AVAILABLE
    alert.get_by_role("button", name="Try again").click()
    expect(photographs.card("late").locator(".top")).not_to_have_text("…")
    photograph_server.models["late"][1].state = LOADING


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("predict?models=cnn,nope", "the model “nope”, which is not served here"),
        ("saliency?model=nope", "the model “nope”, which is not served here"),
        ("compress?model=cnn", "“cnn” has no task “compress”"),
        ("inside?model=codec", "“codec” has no task “activations”"),
    ],
)
def test_an_address_with_a_model_that_cannot_be_shown_is_an_error(screen, address, said):
    screen.open(address)
    alert = screen.page.get_by_role("alert")
    expect(alert).to_contain_text(said)
    expect(screen.page.locator(".card")).to_have_count(0)
    alert.get_by_role("button", name="Choose another model").click()
    expect(alert).to_have_count(0)
    expect(screen.page.locator(".card, .tiles").first).to_be_visible()
    assert "model" not in screen.page.url.partition("?")[2]


def test_an_address_with_a_picture_that_is_no_sample_is_an_error(screen):
    screen.open("predict?picture=nope")
    expect(screen.page.get_by_role("alert")).to_contain_text("“nope”, which is not a sample")
