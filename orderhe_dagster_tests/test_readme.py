"""README.md and README.ko.md say the same: headings, commands, outputs, code, links and pictures."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ENGLISH, KOREAN = ROOT / "README.md", ROOT / "README.ko.md"
FENCED = re.compile(r"^```.*?^```$", re.M | re.S)
HEADING = re.compile(r"^(#+) ", re.M)
TRANSLATED = {"README.ko.md": "README.md"}
"""Links that lead to the other language. Pictures of the dashboard may have one of their own: `…-ko.png`."""


def sections(readme: Path) -> list[str]:
    """The text up to each heading, and after it; code between fences is left out."""
    return re.split(r"^#+ .*$", FENCED.sub("", readme.read_text("utf-8")), flags=re.M)


def links(text: str) -> Counter[str]:
    found = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'src="([^"]+)"', text)
    return Counter(TRANSLATED.get(link, link).replace("-ko.png", ".png") for link in found)


def test_the_headings_have_the_same_levels_in_the_same_order() -> None:
    levels = [
        HEADING.findall(FENCED.sub("", path.read_text("utf-8"))) for path in (ENGLISH, KOREAN)
    ]
    assert levels[0] == levels[1]
    assert len(levels[0]) > 5


def test_the_commands_and_their_outputs_are_the_same() -> None:
    english, korean = (FENCED.findall(path.read_text("utf-8")) for path in (ENGLISH, KOREAN))
    assert english == korean
    assert english


@pytest.mark.parametrize("number", range(len(sections(ENGLISH))))
def test_a_section_has_the_same_code_links_and_rows(number: int) -> None:
    english, korean = (sections(path)[number] for path in (ENGLISH, KOREAN))
    for pattern in (r"`([^`\n]+)`", r"^(\|)", r"^(- )"):
        assert Counter(re.findall(pattern, english, re.M)) == Counter(
            re.findall(pattern, korean, re.M)
        )
    assert links(english) == links(korean)


def test_each_leads_to_the_other() -> None:
    assert "(README.ko.md)" in ENGLISH.read_text("utf-8").split("##")[0]
    assert "(README.md)" in KOREAN.read_text("utf-8").split("##")[0]


def test_the_korean_one_is_korean() -> None:
    """No paragraph was left as it was."""
    for section in sections(KOREAN):
        for paragraph in section.split("\n\n"):
            prose = re.sub(r"`[^`]*`|\]\([^)]*\)|<img[^>]*>|\[README\]|\[English\]", "", paragraph)
            if len(re.findall(r"[A-Za-z]{2,}", prose)) > 3:
                assert re.search(r"[가-힣]", prose), paragraph
