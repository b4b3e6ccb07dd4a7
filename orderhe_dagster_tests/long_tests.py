"""Whether the long forms of tests run too, as `make waits` and `make retail` have it."""

from __future__ import annotations

import os

IS_LONG = bool(os.environ.get("LONG_TESTS"))
