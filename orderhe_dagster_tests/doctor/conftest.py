"""What describes AWS's services is read and parsed once for these tests, not once a session of botocore's."""

from __future__ import annotations

from functools import cache

import botocore.session
import pytest

_SHARED = cache(botocore.session.create_loader)


@pytest.fixture(autouse=True)
def one_loader(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every session takes the same loader."""
    monkeypatch.setattr(botocore.session, "create_loader", _SHARED)
