"""The pictures of the documents, taken from the running product: `make pictures` writes docs/pictures/.

Pages of the demo's shop and of the Dagster UI on the same state, in a headless Chromium. What the
pages show is not decided here; nothing is drawn over them.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orderhe_dagster_tests.servers.chromium import find_chromium, launched, watched
from orderhe_dagster_tests.servers.dagster_ui import dagster_ui
from orderhe_dagster_tests.shops import TestShop

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PICTURES = Path(__file__).resolve().parents[1] / "docs" / "pictures"
LARGEST, LARGEST_IN_ALL = 300_000, 1_500_000
"""Bytes of one picture and of all: they are kept in git."""
MARGIN = 20
UI_LIMIT_MS = 120_000
"""A busy machine takes its time to bring Dagster's definitions."""


@dataclass(frozen=True)
class Shot:
    """One picture: the page (a file of the state's `dashboard`, or a path of the UI), and its frame."""

    name: str
    page: str
    wide: int
    high: int
    language: str = "en-GB"
    density: float = 1.0
    ready: str = ""
    """Text that has to be seen first, where the page cannot tell by itself that it is done."""
    quiet: int = 30
    """Frames in which nothing may change before it is taken: the UI asks for each asset's state late."""
    part: str = ""
    """A selector: that element alone, else all of the window."""


PAGES = [
    Shot("dashboard", "index.html#lang=en&scheme=light&range=90", 1440, 890),
    Shot("dashboard-dark", "index.html#lang=en&scheme=dark&range=30", 390, 844),
    Shot("dashboard-ko", "index.html#lang=ko&scheme=light&range=90", 1440, 890, "ko-KR"),
    Shot("trust", "index.html#lang=en&scheme=light&range=90", 1180, 900, part="#trust"),
    Shot("trust-ko", "index.html#lang=ko&scheme=light&range=90", 1180, 900, "ko-KR", part="#trust"),
    Shot("lineage", "lineage.html#export.customer_segments.net_amount&lang=en", 1440, 780),
]
UPSTREAM = "view=lineage&lineageScope=upstream&lineageDepth=9"
VIEWS = [
    Shot(
        "graph",
        f"assets/export/dashboard?{UPSTREAM}",
        1200,
        1060,
        density=1.5,
        ready="product_pairs",
    ),
    Shot(
        "proof",
        "assets/warehouse/orders?view=checks",
        1440,
        660,
        ready="differing_segments",
        quiet=300,
    ),
]


def take_all(state: Path, folder: Path, only: Sequence[str] = ()) -> list[Path]:
    """Take the pictures of a state (`ORDERHE_HOME`) that holds a run of the demo, into `folder`."""
    pages = [shot for shot in PAGES if not only or shot.name in only]
    views = [shot for shot in VIEWS if not only or shot.name in only]
    folder.mkdir(parents=True, exist_ok=True)
    taken = []
    with launched(browser_here()) as browser:
        for shot in pages:
            name, _, choices = shot.page.partition("#")
            address = f"{(state / 'dashboard' / name).as_uri()}#{choices}"
            taken.append(take(browser, address, shot, folder))
    if views:
        shop = TestShop(state, environment(state))
        with dagster_ui(shop) as root, launched(browser_here()) as browser:
            taken += [take(browser, f"{root}/{shot.page}", shot, folder) for shot in views]
    return taken


def take(browser: Browser, address: str, shot: Shot, folder: Path) -> Path:
    """Take one picture, once its page stands still."""
    context = {
        "viewport": {"width": shot.wide, "height": shot.high},
        "locale": shot.language,
        "device_scale_factor": shot.density,
        "reduced_motion": "reduce",
        "timezone_id": "Asia/Seoul",
    }
    with watched(browser, address, **context) as seen:
        page = seen.page
        page.evaluate("window.orderhe?.drawn?.()")
        if shot.ready:
            page.get_by_text(shot.ready).first.wait_for(state="attached", timeout=UI_LIMIT_MS)
            for narrower in page.get_by_text("Hide navigation").all():
                narrower.click()
            page.mouse.move(0, 0)
        page.evaluate("document.fonts.ready")
        settle(page, shot.quiet)
        frame = around(page, shot.part) if shot.part else None
        picture = page.screenshot(animations="disabled", clip=frame, full_page=bool(shot.part))
    path = folder / f"{shot.name}.png"
    path.write_bytes(picture)
    return path


def around(page: Page, part: str) -> Any:
    """The frame of one element, with some of the page about it."""
    box = page.locator(part).bounding_box()
    assert box is not None, part
    return {
        "x": box["x"] - MARGIN,
        "y": box["y"] - MARGIN,
        "width": box["width"] + 2 * MARGIN,
        "height": box["height"] + 2 * MARGIN,
    }


def settle(page: Page, frames: int) -> None:
    """Wait until nothing is loaded and nothing of the page has changed for so many frames."""
    page.wait_for_load_state("networkidle")
    page.evaluate(
        """frames => new Promise((done, failed) => {
            let quiet = 0, all = 0;
            const watch = new MutationObserver(() => { quiet = 0; });
            const all_of_it = { subtree: true, childList: true, attributes: true, characterData: true };
            watch.observe(document, all_of_it);
            const tick = () => {
                if (++quiet > frames) { watch.disconnect(); done(); }
                else if (++all > 3600) failed(new Error("the page does not come to rest"));
                else requestAnimationFrame(tick);
            };
            tick();
        })""",
        frames,
    )


def environment(state: Path) -> dict[str, str]:
    """The demo's own settings, whatever this shell has set for another shop."""
    return {"ORDERHE_HOME": str(state), "DAGSTER_HOME": "", "DAGSTER_DISABLE_TELEMETRY": "yes"}


def demonstrate(state: Path) -> None:
    """Run the demo into a folder, as `make demo` does."""
    command = [sys.executable, "-m", "orderhe_dagster.cli", "demo"]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ORDERHE_")}
    environ = {**kept, **environment(state), "PYTHONPATH": str(PICTURES.parents[1])}
    subprocess.run(command, cwd=state, env=environ, check=True)  # no .env of the checkout is read


def browser_here() -> str:
    """The path of the browser; SystemExit where none is installed."""
    path = find_chromium()
    if path is None:
        raise SystemExit("Chromium is not installed: apt install chromium (or google-chrome)")
    return path


def fonts() -> None:
    """SystemExit where Hangul would come out as boxes."""
    lister = shutil.which("fc-list")
    if lister and not subprocess.run([lister, ":lang=ko"], capture_output=True, check=True).stdout:
        raise SystemExit("no font here has Hangul: apt install fonts-noto-cjk (or fonts-nanum)")


def too_large(folder: Path) -> list[str]:
    """What is wrong with the sizes of a folder's pictures; empty when nothing is."""
    sizes = {path.name: path.stat().st_size for path in sorted(folder.glob("*.png"))}
    wrong = [
        f"{name} has {size:,} bytes, more than {LARGEST:,}"
        for name, size in sizes.items()
        if size > LARGEST
    ]
    if sum(sizes.values()) > LARGEST_IN_ALL:
        wrong.append(f"all have {sum(sizes.values()):,} bytes, more than {LARGEST_IN_ALL:,}")
    return wrong


def main() -> None:
    """Take the pictures of a demo in a temporary folder, or of `--state FOLDER`."""
    parser = argparse.ArgumentParser(description="take the pictures of docs/pictures")
    parser.add_argument("--state", type=Path, help="a home that a demo has filled: takes less time")
    parser.add_argument("--to", type=Path, default=PICTURES, help="the folder to write to")
    parser.add_argument("only", nargs="*", help="names of the pictures to take (default: all)")
    asked = parser.parse_args()
    fonts()
    with tempfile.TemporaryDirectory() as temporary:
        state = (asked.state or Path(temporary)).resolve()
        if not (state / "dashboard" / "index.html").is_file():
            demonstrate(state)
        for path in take_all(state, asked.to.resolve(), asked.only):
            print(f"{path}: {path.stat().st_size:,} bytes")
    if wrong := too_large(asked.to):
        raise SystemExit("\n".join(wrong))


if __name__ == "__main__":
    main()
