"""A document and its translation say the same: headings, commands, outputs, code, links and pictures."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
KOREAN = sorted(
    path
    for path in (*ROOT.glob("*.ko.md"), *(ROOT / "docs").glob("*.ko.md"))
    if (path.parent / path.name.replace(".ko.md", ".md")).is_file()
)
FENCED = re.compile(r"^```.*?^```$", re.M | re.S)
HEADING = re.compile(r"^(#+) ", re.M)
every_pair = pytest.mark.parametrize("korean", KOREAN, ids=lambda path: path.name)


def english_of(korean: Path) -> Path:
    return korean.with_name(korean.name.replace(".ko.md", ".md"))


def without_code(document: Path) -> str:
    """The text but for code between fences."""
    return FENCED.sub("", document.read_text("utf-8"))


def sections(document: Path) -> list[str]:
    """The text up to each heading, and after it; code between fences is left out."""
    return re.split(r"^#+ .*$", without_code(document), flags=re.M)


def links(text: str) -> Counter[str]:
    """Links and pictures; those that lead to the other language, or are in it, count as the English ones."""
    found = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'src="([^"]+)"', text)
    return Counter(link.replace(".ko.md", ".md").replace("-ko.png", ".png") for link in found)


def test_there_are_translations() -> None:
    assert {path.name for path in KOREAN} >= {"README.ko.md", "tutorial.ko.md"}
    assert len(list(ROOT.rglob("docs/*.ko.md"))) == len([p for p in KOREAN if p.parent != ROOT])


@every_pair
def test_the_headings_have_the_same_levels_in_the_same_order(korean: Path) -> None:
    levels = [HEADING.findall(without_code(path)) for path in (english_of(korean), korean)]
    assert levels[0] == levels[1]
    assert len(levels[0]) > 5


@every_pair
def test_the_commands_and_their_outputs_are_the_same(korean: Path) -> None:
    before, after = (
        FENCED.findall(path.read_text("utf-8")) for path in (english_of(korean), korean)
    )
    assert before == after
    assert before


@pytest.mark.parametrize(
    ("korean", "number"),
    [(path, number) for path in KOREAN for number in range(len(sections(english_of(path))))],
    ids=lambda value: value.name if isinstance(value, Path) else str(value),
)
def test_a_section_has_the_same_code_links_and_rows(korean: Path, number: int) -> None:
    before, after = (sections(path)[number] for path in (english_of(korean), korean))
    for pattern in (r"`([^`\n]+)`", r"^(\|)", r"^(- )", r'<a id="([^"]+)">'):
        assert Counter(re.findall(pattern, before, re.M)) == Counter(
            re.findall(pattern, after, re.M)
        )
    assert links(before) == links(after)


@every_pair
def test_each_leads_to_the_other(korean: Path) -> None:
    english = english_of(korean)
    assert f"({korean.name})" in english.read_text("utf-8").split("##")[0]
    assert f"({english.name})" in korean.read_text("utf-8").split("##")[0]


@every_pair
def test_the_korean_one_is_korean(korean: Path) -> None:
    """No paragraph was left as it was."""
    for section in sections(korean):
        for paragraph in section.split("\n\n"):
            prose = re.sub(
                r"`[^`]*`|\]\([^)]*\)|<(?:img|a)[^>]*>|\[README\]|\[English\]", "", paragraph
            )
            if len(re.findall(r"[A-Za-z]{2,}", prose)) > 3:
                assert re.search(r"[가-힣]", prose), paragraph
