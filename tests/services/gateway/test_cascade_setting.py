from __future__ import annotations

import pytest

from services.gateway.cascade_setting import Cascade, parse_cascade


def test_a_cascade_is_read_from_its_text():
    assert parse_cascade("auto=mimic>cnn_best@0.9") == Cascade("auto", "mimic", "cnn_best", 0.9)


@pytest.mark.parametrize("threshold", ["0", "1", "0.123456", "1.0"])
def test_any_probability_may_be_the_threshold(threshold):
    assert parse_cascade(f"a=b>c@{threshold}").threshold == float(threshold)


@pytest.mark.parametrize(
    "text", ["", "auto", "a=b>c", "a=b@0.9", "a=b>c@", "a=b>c@x", "a=b>c@0.9.1", "a/b=c>d@0.9"]
)
def test_another_text_is_explained_by_an_example(text):
    with pytest.raises(ValueError, match=r"such as auto=mimic>cnn_best@0\.9"):
        parse_cascade(text)


@pytest.mark.parametrize("text", ["a=a>b@0.9", "a=b>b@0.9", "a=b>c@1.1"])
def test_equal_names_and_invalid_thresholds_are_refused(text):
    with pytest.raises(ValueError, match="three different names and a threshold from 0 to 1"):
        parse_cascade(text)
