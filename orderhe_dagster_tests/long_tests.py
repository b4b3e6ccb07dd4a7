"""Whether the long forms of tests run too: `make waits`, `make retail`. They have no place in each `make test`."""

from __future__ import annotations

import os

IS_LONG = bool(os.environ.get("LONG_TESTS"))
