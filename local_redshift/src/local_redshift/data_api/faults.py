"""What the Data API refuses, by its exceptions' names, and its limits. What runs is in `statements`.

Texts that a real service was seen to send stand as they are; where none is known, ours says what is
wrong.
"""

from __future__ import annotations

from dataclasses import dataclass


class ApiError(Exception):
    """A request that is refused: the exception's name in the service's model, its words, the status."""

    def __init__(self, name: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.name, self.message, self.status = name, message, status


@dataclass(frozen=True)
class Limits:
    """What a request may ask for, a statement may give, and how long both are kept.

    As Amazon's pages and the service's model have them in 2026: bytes of a statement, statements of a
    batch, statements and sessions at once, bytes of a result and of a row, seconds of retention.
    A page is what one answer holds. `kept_statements` is ours: the memory of this machine has an end.
    """

    statement_bytes: int = 100 * 1024
    batch_statements: int = 40
    active_statements: int = 500
    sessions: int = 500
    result_bytes: int = 500 * 1024 * 1024
    row_bytes: int = 64 * 1024
    page_rows: int = 1_000
    page_bytes: int = 1024 * 1024
    retention_s: float = 24 * 3600
    kept_statements: int = 5_000
    token_s: float = 8 * 3600
    keep_alive_s: int = 24 * 3600
    wait_s: int = 30
    waiting: int = 100


def invalid(message: str) -> ApiError:
    """ValidationException."""
    return ApiError("ValidationException", message)


def constraint(name: str, rule: str) -> ApiError:
    """ValidationException for a member of the request, in the words that all services share."""
    return invalid(
        f"1 validation error detected: Value at '{name}' failed to satisfy constraint: {rule}"
    )


def no_such_statement() -> ApiError:
    """For an id that is not there, not this caller's, or older than what is kept."""
    return ApiError("ResourceNotFoundException", "Query does not exist.")


def no_result() -> ApiError:
    """For a statement that has not finished, or gave no rows."""
    return ApiError(
        "ResourceNotFoundException",
        "Query does not have result. Please check query status with DescribeStatement.",
    )
