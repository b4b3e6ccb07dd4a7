"""Running again what another transaction was in the way of. What that is: `errors.is_retryable`."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from orderhe_dagster.ports.errors import StatementError
from orderhe_dagster.resources.redshift.errors import is_retryable

_T = TypeVar("_T")
ATTEMPTS = 10
"""Loads of other tables write the same audit: under SERIALIZABLE, one of those at work wins a round."""
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.05, 5.0


def repeated(run: Callable[[], _T], attempts: int, again: Callable[[], bool] = lambda: True) -> _T:
    """Run it again, after a random wait that grows, while another transaction is in the way.

    `again` says whether that is still possible.
    """
    for attempt in range(1, attempts):
        try:
            return run()
        except StatementError as error:
            if not is_retryable(error) or not again():
                raise
        pause(attempt)
    return run()


def pause(attempt: int) -> None:
    """Wait for a random time that grows with the attempts."""
    wait = min(_FIRST_WAIT_S * 2**attempt, _LONGEST_WAIT_S)
    time.sleep(wait * random.uniform(0.5, 1.5))
