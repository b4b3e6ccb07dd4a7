"""Whether the local Redshift is installed: a project of its own in this tree. Nothing of it is used here."""

from __future__ import annotations

import sys

from orderhe_dagster.errors import OrderheError


def require_local_redshift() -> None:
    """Call it before an import of `local_redshift`. OrderheError: it is missing, and how to install it."""
    try:
        import local_redshift  # noqa: F401
    except ModuleNotFoundError as error:
        if error.name != "local_redshift":
            raise
        raise OrderheError(
            f"the local Redshift is not installed for {sys.executable}. It is a part of this tree "
            "and in no registry: run `make setup` in the project's folder, or "
            f"`{sys.executable} -m pip install --no-deps ./local_redshift`"
        ) from None
