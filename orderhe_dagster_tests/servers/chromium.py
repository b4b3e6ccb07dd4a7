"""A headless Chromium for the tests, and a watch over what its pages ask of the network and complain of.

Fixture: `chromium` (one browser a module: Playwright keeps an event loop running while it is there).
A test opens a page by `watched`, which tells every request and every console error.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from local_redshift.testing.missing import missing

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_OPTIONS = (
    "--no-sandbox",  # containers and CI run as root
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    # Nothing but this machine can be found, whatever a page asks for.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


@dataclass
class Watched:
    """A page and what was seen of it: `requests` are URLs, `complaints` errors of the console."""

    page: Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


def find_chromium() -> str | None:
    """The path of the browser that is installed here, if one is."""
    return next(filter(None, map(shutil.which, _NAMES)), None)


def program() -> str:
    """The path of the browser; the test is skipped where there is none, and fails in CI."""
    found = find_chromium()
    if found is None:
        missing("Chromium is not installed: apt install chromium (or google-chrome)")
    return found


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The browser; the test is skipped where there is none, and fails in CI."""
    with launched(program()) as browser:
        yield browser


@contextmanager
def launched(path: str) -> Iterator[Browser]:
    """The browser of that path, until the block ends."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(_OPTIONS))
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def watched(browser: Browser, address: str | Path, **context: Any) -> Iterator[Watched]:
    """Open a file or a URL in a new context (`viewport`, `locale`, `color_scheme` … are its options)."""
    where = address.as_uri() if isinstance(address, Path) else address
    opened = browser.new_context(**context)
    try:
        seen = Watched(opened.new_page())
        seen.page.on("request", lambda request: seen.requests.append(request.url))
        seen.page.on("pageerror", lambda error: seen.complaints.append(str(error)))
        seen.page.on(
            "console",
            lambda said: seen.complaints.append(said.text) if said.type == "error" else None,
        )
        seen.page.goto(where)
        yield seen
    finally:
        opened.close()


def violations(page: Page) -> list[str]:
    """What axe finds wrong with the accessibility of a page: rule, help text and the elements."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [
        f"{each['id']}: {each['help']}: {[node['html'][:200] for node in each['nodes'][:5]]}"
        for each in found
    ]
