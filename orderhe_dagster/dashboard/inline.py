"""Puts parts into a page of one file, so that no text can leave the place it was given. Reads no table."""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

_UNSAFE = {ord(mark): f"\\u{ord(mark):04x}" for mark in "<>&\u2028\u2029"}
_PLACE = re.compile(r"\{\{(\w+)\}\}")


def script_json(value: Any) -> str:
    """The value as JSON that may stand in a `<script>`: no text in it can end the script."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.translate(_UNSAFE)


def content_hash(text: str) -> str:
    """The source expression by which a Content-Security-Policy admits this inline script or style."""
    return f"'sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def filled(skeleton: str, parts: Mapping[str, str]) -> str:
    """The skeleton with each `{{name}}` replaced by its part, in one pass: parts are not looked into.

    KeyError names a place that has no part, ValueError a part that has no place.
    """
    places = set(_PLACE.findall(skeleton))
    if unused := sorted(parts.keys() - places):
        raise ValueError(f"the page has no place for {', '.join(unused)}")
    return _PLACE.sub(lambda place: parts[place[1]], skeleton)
