"""What was published: copies of pages and exports in the store, which links lead to, and until when.

They lie below `published/`, never among the backups; when they may go stands in their key, so that
whoever cleans up needs to know nothing else. What is published, and how it is told: the commands.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from datetime import datetime, timezone

from orderhe_dagster.ports.store import Listed, Store

FOLDER = "published"
_MOMENT = "%Y%m%dT%H%M%SZ"
_KEY = re.compile(rf"{FOLDER}/until-(\d{{8}}T\d{{6}}Z)-[0-9a-f]+/.+")


def new_folder(until: datetime) -> str:
    """The prefix, without its slash, of a publication that lasts until then; no two are the same."""
    return f"{FOLDER}/until-{until.astimezone(timezone.utc):{_MOMENT}}-{secrets.token_hex(8)}"


def ends_at(key: str) -> datetime | None:
    """Until when an object is published (UTC); None of what was not put there by us."""
    match = _KEY.fullmatch(key)
    try:
        ends = datetime.strptime(match[1], _MOMENT) if match else None
    except ValueError:
        return None
    return ends and ends.replace(tzinfo=timezone.utc)


def published(store: Store) -> list[Listed]:
    """All that was published and lies there still."""
    return [one for one in store.inventory(f"{FOLDER}/") if ends_at(one.key)]


def ended(store: Store, now: datetime) -> Sequence[Listed]:
    """Of what was published, what has had its time."""
    return [one for one in published(store) if (ends_at(one.key) or now) < now]
