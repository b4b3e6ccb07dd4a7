"""The documents' pictures: each is taken by `make pictures`, shown somewhere, and small enough for git."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from orderhe_dagster_tests.screenshots import PAGES, PICTURES, VIEWS, Shot, take, too_large

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROOT = PICTURES.parents[1]


def test_the_pictures_are_those_that_are_taken() -> None:
    taken = {f"{shot.name}.png" for shot in (*PAGES, *VIEWS)}
    assert {path.name for path in PICTURES.glob("*.png")} == taken


def test_every_picture_is_shown_in_a_document() -> None:
    documents = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
    text = "".join(path.read_text("utf-8") for path in documents)
    assert [
        path.name for path in PICTURES.glob("*.png") if f"pictures/{path.name}" not in text
    ] == []


def test_the_pictures_are_small() -> None:
    assert too_large(PICTURES) == []


def test_what_is_too_large_is_named(tmp_path: Path) -> None:
    for number in range(6):
        (tmp_path / f"{number}.png").write_bytes(bytes(299_999 + number % 2 * 2))
    assert [told.partition(" ")[0] for told in too_large(tmp_path)] == [
        "1.png",
        "3.png",
        "5.png",
        "all",
    ]


PAGE = """<!doctype html><title>x</title><style>body { margin: 0 } p { height: 900px; margin: 30px }</style>
<p id="late">first</p><script>
let turns = 5;
const work = () => { if (turns--) { late.textContent = turns; setTimeout(work, 20); }
  else late.textContent = "done"; };
work();</script>"""


@pytest.mark.parametrize(
    ("shot", "size"),
    [
        (Shot("whole", "", 400, 300), (400, 300)),
        (Shot("dense", "", 400, 300, density=1.5), (600, 450)),
        (Shot("part", "", 400, 300, part="#late"), (380, 940)),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_a_picture_has_its_frame_and_is_taken_twice_the_same(
    chromium: Browser, tmp_path: Path, shot: Shot, size: tuple[int, int]
) -> None:
    page = tmp_path / "page.html"
    page.write_text(PAGE, "utf-8")
    first = take(chromium, page.as_uri(), shot, tmp_path).read_bytes()
    assert struct.unpack(">II", first[16:24]) == size
    assert take(chromium, page.as_uri(), shot, tmp_path).read_bytes() == first
