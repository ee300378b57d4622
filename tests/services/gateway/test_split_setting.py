from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway import split_setting
from services.gateway.split_setting import Split, WeightedArm, parse_splits

ARM = {"model": "cnn"}
NAMES = ["cnn", "cnn/versions/2", "cnn/labels/canary"]


def split(*weights: float, **members: object) -> Split:
    arms = tuple(WeightedArm(model=f"m{i}", weight=weight) for i, weight in enumerate(weights))
    return Split(name="s", arms=arms, **members)


def test_a_file_is_read():
    arms = [ARM, {**ARM, "version": 2, "weight": 3}, {**ARM, "label": "canary"}]
    shadow = {"model": "rnn", "share": 0.5}
    document = {"splits": [{"name": "a", "arms": arms, "shadow": shadow}]}
    [parsed] = parse_splits(json.dumps(document)).values()
    assert [arm.name for arm in parsed.arms] == NAMES
    assert [arm.weight for arm in parsed.arms] == [1, 3, 1]
    assert (parsed.shadow.name, parsed.shadow.timeout_seconds) == ("rnn", 2)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["file: Invalid JSON"]),
        ("[]", ["file: ", "received []"]),
        ('{"splits": [{"name": "a"}]}', ["splits.0.arms: Field required"]),
        ('{"splits": [{"name": "a", "arms": []}]}', ["splits.0.arms", "at least 1"]),
        ('{"splits": [{"name": "a:b", "arms": [{"model": "m"}]}]}', ["name", "'a:b'"]),
        ('{"splits": [{"name": "a", "arms": [{"model": "m", "wait": 1}]}]}', ["arms.0.wait"]),
        ('{"splits": [{"name": "a", "arms": [{"model": "m", "weight": NaN}]}]}', ["weight"]),
        ('{"splits": [{"name": "a", "arms": [{"model": "m", "weight": -1}]}]}', ["weight", "-1"]),
        ('{"splits": [{"name": "a", "arms": [{"model": "m", "weight": 0}]}]}', ["above 0"]),
        ('{"splits": [{"name": "a", "arms": [{"model": "m"}, {"model": "m"}]}]}', ["'m' twice"]),
        (
            '{"splits": [{"name": "a", "arms": [{"model": "m", "version": 1, "label": "l"}]}]}',
            ["a version or a label, not both"],
        ),
        (
            '{"splits": [{"name": "a", "arms": [{"model": "m"}], '
            '"shadow": {"model": "m", "share": 2}}]}',
            ["shadow.share", "received 2"],
        ),
        (json.dumps({"splits": [{"name": "a", "arms": [ARM]}] * 2}), ["'a' twice"]),
        (
            json.dumps({"splits": [{"name": f"s{i}", "arms": [ARM]} for i in range(65)]}),
            ["splits", "at most 64"],
        ),
    ],
)
def test_a_file_of_another_form_is_explained_in_one_line(text, words):
    with pytest.raises(ValueError, match="received") as caught:
        parse_splits(text)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 600
    for word in words:
        assert word in message


@given(st.text())
def test_a_key_always_goes_to_the_same_arm(key):
    assert split(1, 1).arm_of(key) == split(1, 1).arm_of(key)


@given(st.text(), st.integers(0, 3))
def test_an_arm_without_weight_answers_nothing(key, empty):
    weights = [0 if index == empty else 1e-3 for index in range(4)]
    assert split(*weights).arm_of(key).weight


@pytest.mark.parametrize("weights", [(9, 1), (0.2, 0.3, 0.5), (5, 0, 5)])
def test_the_arms_get_their_shares(weights):
    arm_of = split(*weights).arm_of
    found = [arm_of(f"key {number}").model for number in range(20_000)]
    for index, weight in enumerate(weights):
        # Four standard deviations of a share of one half are 0.014.
        assert found.count(f"m{index}") / 20_000 == pytest.approx(weight / sum(weights), abs=0.015)


@given(st.text())
def test_a_canary_that_grows_keeps_its_keys(key):
    if split(9, 1).arm_of(key).model == "m1":
        assert split(5, 5).arm_of(key).model == "m1"


def test_the_shadow_gets_its_share_of_every_arm():
    mirror = split(1, 1, shadow={"model": "m", "share": 0.25})
    keys = [f"key {number}" for number in range(20_000)]
    of_first = [key for key in keys if mirror.arm_of(key).model == "m0"]
    for some in (keys, of_first):
        share = sum(map(mirror.is_mirrored, some)) / len(some)
        assert share == pytest.approx(0.25, abs=0.02)
    assert not split(1).is_mirrored("key")


def test_the_file_in_the_documentation_is_one():
    page = (Path(split_setting.__file__).parent / "TRAFFIC.md").read_text()
    [example] = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    assert list(parse_splits(example)) == ["cnn_live"]
