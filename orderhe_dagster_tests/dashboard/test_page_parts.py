"""The page put together: what is put in stays what it is, and nothing breaks out of its element."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from orderhe_dagster.dashboard import page

HOSTILE = "</script><script>alert(1)</script><!-- {{vega}} & \u2028\u2029 가방"


class Elements(HTMLParser):
    """The elements of a page with their attributes and their texts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None], str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs), ""))

    def handle_endtag(self, tag: str) -> None:
        self.found.append(("", {}, ""))

    def handle_data(self, data: str) -> None:
        if self.found:
            tag, attributes, text = self.found[-1]
            self.found[-1] = (tag, attributes, text + data)

    def scripts(self) -> list[tuple[str | None, str]]:
        return [(attrs.get("id"), text) for tag, attrs, text in self.found if tag == "script"]


def rendered(value: Any) -> str:
    return page.render({"exports": {}, "value": value}, "window.vega = 1;")


def test_a_text_cannot_close_the_element_it_stands_in() -> None:
    scripts = Elements(rendered(HOSTILE)).scripts()
    assert len(scripts) == len(Elements(rendered("plain")).scripts()) == 4
    assert json.loads(dict(scripts)["data"])["value"] == HOSTILE


def test_what_is_put_in_is_not_looked_through_again() -> None:
    assert page.fill("{{a}}{{b}}", {"a": "{{b}}", "b": "{{a}}"}) == "{{b}}{{a}}"
    with pytest.raises(ValueError, match="nothing is called other"):
        page.fill("{{other}}", {"a": ""})


def test_the_page_allows_its_own_scripts_and_no_other() -> None:
    text = rendered(HOSTILE)
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";") if rule.strip())
    assert rules["default-src"] == "'none'"
    own = [script for identity, script in Elements(text).scripts() if identity is None]
    digests = [hashlib.sha256(script.encode()).digest() for script in own]
    hashes = [f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests]
    assert rules["script-src"].split() == hashes
    assert "connect-src" not in rules


def test_a_script_that_names_its_own_end_keeps_its_meaning() -> None:
    text = page.render({}, 'window.end = "</script>";')
    script = next(s for i, s in Elements(text).scripts() if i is None)
    assert script == 'window.end = "<\\/script>";'


def test_numbers_that_json_has_not_are_refused() -> None:
    with pytest.raises(ValueError, match="JSON"):
        page.embedded_json(float("nan"))


def test_the_languages_have_the_same_words() -> None:
    english, korean = (
        json.loads((page.PAGE / "words" / f"{language}.json").read_text("utf-8"))
        for language in page.LANGUAGES
    )
    assert sorted(english) == sorted(korean)


def test_every_word_that_the_page_says_is_there_and_none_besides() -> None:
    """Words are said by their key, or by a key of which a part is computed: `figure.${name}`."""
    scripts = "".join(path.read_text("utf-8") for path in page.PAGE.glob("*.js"))
    template = (page.PAGE / "index.html").read_text("utf-8")
    words = json.loads((page.PAGE / "words" / "en.json").read_text("utf-8"))
    known = {re.sub(r"\.(one|other)$", "", key) for key in words}
    used = set(re.findall(r'data-word="([^"]+)"', template))
    used |= set(re.findall(r'\bsay\(\s*"([^"]+)"', scripts))
    assert used - known == set()
    texts = set(re.findall(r'"([a-z_]+(?:\.[a-z_]+)*)"', scripts))
    computed = [
        re.compile(re.sub(r"\\\$\\\{.*?\\\}", ".+", re.escape(key)))
        for key in re.findall(r"`([^`\s]*\$\{[^`\s]*)`", scripts)
    ]
    unused = [key for key in known - used - texts if not any(c.fullmatch(key) for c in computed)]
    assert unused == []


def test_the_languages_fill_in_the_same_values() -> None:
    english, korean = (
        json.loads((page.PAGE / "words" / f"{language}.json").read_text("utf-8"))
        for language in page.LANGUAGES
    )
    holes = re.compile(r"\{\w+\}")
    assert {key: sorted(set(holes.findall(words))) for key, words in english.items()} == {
        key: sorted(set(holes.findall(words))) for key, words in korean.items()
    }


def test_a_page_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path, aside = tmp_path / "made" / "index.html", tmp_path
    assert page.replace_text(path, "하나", aside) == 6
    with pytest.raises(UnicodeEncodeError):
        page.replace_text(path, "two \ud800", aside)
    assert path.read_text("utf-8") == "하나"
    assert [found.name for found in tmp_path.rglob("*")] == ["made", "index.html"]


def test_vega_is_bundled_once_for_a_version(tmp_path: Path) -> None:
    (tmp_path / "vega-0.1-5.8.js").write_text("old")
    first = page.vega_bundle(tmp_path)
    (kept,) = tmp_path.iterdir()
    assert "vegaEmbed" in first[-200:]
    kept.write_text(f"{page._seal('kept')}\nkept")
    assert page.vega_bundle(tmp_path) == "kept"
    kept.write_text(f"{page._seal('kept')}\nkelt")
    assert page.vega_bundle(tmp_path) == first, "a byte that was altered on the disk is in no page"
    assert page.vega_bundle(tmp_path) == first
