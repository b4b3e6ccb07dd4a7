"""What a test does where the server it needs is not installed. Nothing is looked for here."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def missing(says: str) -> NoReturn:
    """Skip the test and say how to get what it needs; in CI, where all is installed, fail."""
    if os.environ.get("CI"):
        pytest.fail(says)
    pytest.skip(says)
