"""Which tables a statement reads and writes, found in its DuckDB text; so no statement forgets its locks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from local_redshift.transactions.locks import Mode
from local_redshift.values.catalog import DATABASE, Relation

_PART = r'"((?:[^"]|"")*)"'
_NAME = rf'"{DATABASE}"\.{_PART}\.{_PART}'
_NAMES = re.compile(rf"'(?:[^']|'')*'|{_NAME}")
_TARGET = re.compile(
    r"\s*(INSERT INTO|UPDATE|DELETE FROM|MERGE INTO"
    r"|(?:ALTER|DROP|COMMENT ON|CREATE(?: OR REPLACE)?) (?:TABLE|VIEW)(?: IF (?:NOT )?EXISTS)?) "
    + _NAME
)


@dataclass
class Footprint:
    """Tables as `schema.table`. `changes`: of `writes`, those whose rows are updated or deleted."""

    reads: set[str] = field(default_factory=set)
    writes: set[str] = field(default_factory=set)
    changes: set[str] = field(default_factory=set)
    defines: set[str] = field(default_factory=set)

    def modes(self, inserts_share: bool) -> dict[str, Mode]:
        """The locks to take. `inserts_share`: INSERT and COPY may run beside one another."""
        append = Mode.APPEND if inserts_share else Mode.WRITE
        found = dict.fromkeys(self.reads, Mode.READ)
        found |= dict.fromkeys(self.writes, append)
        found |= dict.fromkeys(self.changes, Mode.WRITE)
        return found | dict.fromkeys(self.defines, Mode.ALONE)


def footprint(
    texts: Sequence[str], relations: Mapping[tuple[str | None, str], Relation]
) -> Footprint:
    """What these statements touch. A view stands for itself and for what it reads."""
    found = Footprint()
    for text in texts:
        target = _TARGET.match(text)
        start = 0
        if target is not None:
            table = _key(target[2], target[3])
            start = target.end()
            if target[1] not in ("INSERT INTO", "UPDATE", "DELETE FROM", "MERGE INTO"):
                found.defines.add(table)
            else:
                found.writes.add(table)
                if target[1] != "INSERT INTO":
                    found.changes.add(table)
                    found.reads.add(table)
        found.reads.update(
            _key(name[1], name[2]) for name in _NAMES.finditer(text, start) if name[1] is not None
        )
    _add_views(found.reads, relations)
    return found


def _key(schema: str, table: str) -> str:
    return f"{schema}.{table}".replace('""', '"')


def _add_views(reads: set[str], relations: Mapping[tuple[str | None, str], Relation]) -> None:
    left: Iterable[str] = list(reads)
    while left:
        more: set[str] = set()
        for key in left:
            schema, _, name = key.partition(".")
            relation = relations.get((schema, name))
            if relation is not None and relation.is_view:
                more.update(relation.attributes.get("reads", ()))
        left = more - reads
        reads |= more
