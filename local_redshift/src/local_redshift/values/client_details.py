"""Keys, defaults and comments of a relation, for PostgreSQL's catalogue. The views: `client_views`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from local_redshift.errors import refuse
from local_redshift.values.catalog import Relation
from local_redshift.values.oids import oid

OWNER = 100
"""The number of the one user who owns everything here."""


def has_primary_key(relation: Relation) -> bool:
    """Whether one was declared."""
    return any(kind == "primary key" for _, kind, _ in relation.attributes.get("constraints", []))


def constraints(relation: Relation) -> list[dict[str, Any]]:
    """The keys of a table, with their text as `text`; refused where one refers to another table."""
    names, facts = [column.name for column in relation.columns], []
    for called, kind, columns in relation.attributes.get("constraints", []):
        if kind == "foreign key":
            raise refuse(
                f"the constraints of tables while {relation} has a foreign key",
                "what it refers to is not kept; drop the constraint",
            )
        places = ",".join(str(names.index(name) + 1) for name in columns)
        facts.append(
            {
                "oid": oid(str(relation), called), "conname": called,
                "connamespace": oid(str(relation.schema)), "conrelid": oid(str(relation)),
                "contype": "p" if kind == "primary key" else "u", "confrelid": 0,
                "condeferrable": False, "condeferred": False, "conkey": f"{{{places}}}",
                "columns": columns,
                "text": f"{kind.upper()} ({', '.join(columns)})",
            }
        )  # fmt: skip
    return facts


def defaults(relation: Relation) -> Iterator[dict[str, Any]]:
    """Columns with a default. Its text is not kept as Redshift would write it: NULL."""
    for place, column in enumerate(relation.columns, 1):
        if column.default is not None:
            yield {"adrelid": oid(str(relation)), "adnum": place}


def descriptions(relation: Relation) -> Iterator[dict[str, Any]]:
    """What COMMENT ON said of a table or view (0) and of its columns, by their number."""
    texts = [relation.attributes.get("comment")]
    comments = relation.attributes.get("comments", {})
    texts += [comments.get(column.name) for column in relation.columns]
    for place, text in enumerate(texts):
        if text:
            yield {
                "objoid": oid(str(relation)), "classoid": oid("pg_class"),
                "objsubid": place, "description": text,
            }  # fmt: skip
