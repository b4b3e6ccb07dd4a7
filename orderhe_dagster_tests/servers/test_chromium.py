"""The browser of the tests sees what it is to see: a watch that cannot fail would prove nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from orderhe_dagster_tests.servers.chromium import violations, watched

if TYPE_CHECKING:
    from playwright.sync_api import Browser

BAD = """<!doctype html><title>x</title><img src="http://example.invalid/a.png">
<script>console.error("said"); undefinedFunction()</script>"""


def test_the_watch_tells_requests_errors_and_inaccessible_pages(
    chromium: Browser, tmp_path: Path
) -> None:
    path = tmp_path / "bad.html"
    path.write_text(BAD, "utf-8")
    with watched(chromium, path, locale="ko-KR") as seen:
        assert "http://example.invalid/a.png" in seen.requests
        assert "said" in seen.complaints
        assert any("undefinedFunction" in text for text in seen.complaints)
        assert {text.split(":")[0] for text in violations(seen.page)} >= {"image-alt"}
        assert seen.page.evaluate("navigator.language") == "ko-KR"
