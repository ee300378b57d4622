"""The page on error messages has every message that contains advice, and no other."""

from __future__ import annotations

import re

from tests.docs.messages import advising_messages
from tests.processes import ROOT

PAGE = (ROOT / "docs" / "guides" / "troubleshooting.md").read_text()
LISTED = re.findall(r"^#### (`+) ?(.+?) ?\1$", PAGE, re.MULTILINE)


def test_every_message_with_advice_has_a_section() -> None:
    messages = advising_messages()
    assert len(messages) > 60
    listed = {text for _, text in LISTED}
    missing = {text: path for text, path in messages.items() if text not in listed}
    assert missing == {}, "add a section with the cause to docs/guides/troubleshooting.md"
    assert listed - set(messages) == set(), "the code has no such message: delete or rename it"


def test_every_section_says_more_than_its_message() -> None:
    sections = re.split(r"^#+ .*$", PAGE, flags=re.MULTILINE)
    assert len(LISTED) == len({text for _, text in LISTED})
    assert len([part for part in sections if len(part.split()) > 5]) >= len(LISTED)
