"""Puts the page together: `page/`, Vega and the data in one HTML file. Its data is `payload`'s.

The page loads nothing: its Content-Security-Policy allows exactly the two scripts that stand in it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parent / "page"
VEGA_LITE = "6.4"
_VEGA = "Object.assign(window, { vega, vegaLite, vegaEmbed });"
LANGUAGES = ("en", "ko")
_PLACEHOLDER = re.compile(r"\{\{([a-z_]+)\}\}")
_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)
_NOT_IN_JSON = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029"}
"""What could close the element that the JSON stands in, or end a line of script, as escapes."""


def render(payload: Mapping[str, Any], vega: str) -> str:
    """The whole page, for a payload and the bundle of `vega_bundle`."""
    template = (PAGE / "index.html").read_text("utf-8")
    parts = {
        "style": (PAGE / "style.css").read_text("utf-8"),
        "vega": _script_text(vega),
        "script": _script_text(_scripts()),
        "words": embedded_json(_words()),
        "data": embedded_json(payload),
    }
    hashes = [content_hash(fill(script, parts)) for script in _SCRIPT.findall(template)]
    parts["script_hashes"] = " ".join(hashes)
    if unused := set(parts) - set(_PLACEHOLDER.findall(template)):
        raise ValueError(f"index.html has no place for {', '.join(sorted(unused))}")
    return fill(template, parts)


def alone(page: str) -> str:
    """A page, dashboard or lineage, without its link to the other, for where that does not lie beside it."""
    for other in ("lineage", "dashboard"):
        page = page.replace(f'"{other}":true', f'"{other}":false', 1)
    return page


@cache
def page_version() -> str:
    """12 hex digits that change with any file of the page."""
    files = sorted(path for path in PAGE.rglob("*") if path.is_file())
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in files]
    return hashlib.sha256("".join(digests).encode()).hexdigest()[:12]


def fill(template: str, parts: Mapping[str, str]) -> str:
    """The template with each `{{name}}` replaced once: what is put in is not looked through again.

    ValueError where a name is unknown.
    """
    if unknown := set(_PLACEHOLDER.findall(template)) - set(parts):
        raise ValueError(f"nothing is called {', '.join(sorted(unknown))} in index.html")
    return _PLACEHOLDER.sub(lambda match: parts[match[1]], template)


def embedded_json(value: object) -> str:
    """JSON that can stand in a script element: no text of it can close the element."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.translate(_NOT_IN_JSON)


def vega_bundle(folder: Path) -> str:
    """Vega, Vega-Lite and Vega-Embed as one script that sets `window.vegaEmbed`; kept in `folder`.

    Bundling takes 1.5 s of CPU and about 100 MB, once for each version.
    """
    from importlib.metadata import version

    name = f"vega-{version('vl-convert-python')}-{VEGA_LITE}.js"
    kept = folder / name
    there = _kept_bundle(kept)
    if there is not None:
        return there
    folder.mkdir(parents=True, exist_ok=True)
    bundle = _bundled()
    replace_text(kept, f"{_seal(bundle)}\n{bundle}", folder)
    for old in folder.glob("vega-*.js"):
        if old.name != name:
            old.unlink(missing_ok=True)
    return bundle


def _kept_bundle(kept: Path) -> str | None:
    """The bundle as it was kept; None where there is none, or one of other bytes."""
    try:
        seal, _, bundle = kept.read_text("utf-8").partition("\n")
    except (FileNotFoundError, UnicodeDecodeError):
        return None
    return bundle if seal == _seal(bundle) else None


def _seal(bundle: str) -> str:
    return f"// sha256 {hashlib.sha256(bundle.encode()).hexdigest()}"


@cache
def _bundled() -> str:
    import vl_convert

    return vl_convert.javascript_bundle(_VEGA, VEGA_LITE)


def replace_text(path: Path, text: str, aside: Path) -> int:
    """Replace `path` whole or not at all, UTF-8; it grows in `aside`, on the same disk. Returns bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    growing = aside / f".{path.name}.{os.getpid()}.tmp"
    try:
        with growing.open("wb") as file:
            size = file.write(text.encode("utf-8"))
            file.flush()
            os.fsync(file.fileno())
        growing.replace(path)
    finally:
        growing.unlink(missing_ok=True)
    return size


@cache
def _scripts() -> str:
    """The page's own scripts in the order of their names, the one that begins (`main.js`) last."""
    files = sorted(PAGE.glob("*.js"), key=lambda path: (path.name == "main.js", path.name))
    return "\n".join(path.read_text("utf-8") for path in files)


@cache
def _words() -> dict[str, Any]:
    return {
        language: json.loads((PAGE / "words" / f"{language}.json").read_text("utf-8"))
        for language in LANGUAGES
    }


def _script_text(text: str) -> str:
    """A script that can stand in an element: within a text, an escaped slash is a slash."""
    text = re.sub(r"</(?=script)", r"<\\/", text, flags=re.IGNORECASE)
    return text.replace("<!--", "<\\!--").replace("\r\n", "\n").replace("\r", "\n")


def content_hash(script: str) -> str:
    """By what a Content-Security-Policy names a script or style that stands in the page."""
    digest = hashlib.sha256(script.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"
