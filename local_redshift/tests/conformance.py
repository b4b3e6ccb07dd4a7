"""Asks a Redshift the statements of `statements/*.sql`, and compares its answers with what is expected.

`make conformance` asks the one that the ORDERHE_REDSHIFT_* variables name: a real workgroup, or the
local one's wire server. Everything happens in a schema of its own, which is dropped at the end. The
answers are written to a JSON file with the versions; what it says of the uncertain is worth keeping.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from typing import Any

from orderhe_dagster.ports.errors import StatementError
from orderhe_dagster.ports.warehouse import Session, Warehouse
from tests.statement_files import Case, cases, shown, tables

_BEYOND = re.compile(
    r"s3://|\b(?:create|alter|drop)\s+(?:user|group|role|schema|database|default)\b|"
    r"\balter\s+default\b|\bvacuum\b",
    re.IGNORECASE,
)
"""What would need a bucket, or would change more than the schema of this run."""
_PACKAGES = ("orderhe-dagster", "redshift-connector", "sqlglot", "duckdb")


@contextmanager
def own_schema(warehouse: Warehouse) -> Iterator[tuple[Session, str]]:
    """A session whose search path is a new schema, dropped afterwards."""
    name = f"conformance_{uuid.uuid4().hex[:12]}"
    with warehouse.session("conformance") as session:
        session.execute(f"create schema {name}")
        try:
            session.execute(f"set search_path to {name}")
            yield session, name
        finally:
            session.execute(f"drop schema {name} cascade")


def ask(warehouse: Warehouse, chosen: Sequence[Case]) -> list[dict[str, Any]]:
    """What came of each case; the tables are made anew after one that changes something."""
    found = []
    with own_schema(warehouse) as (session, schema):
        fresh = False
        for case in chosen:
            if _BEYOND.search(case.sql):
                found.append(_told(case, "skipped", "it reaches beyond a schema of its own"))
                continue
            if not fresh:
                _empty(session, schema)
                for statement in tables():
                    session.execute(statement)
            found.append(_asked(session, schema, case))
            fresh = len(case.statements) == 1 and case.sql.lower().startswith(("select", "with"))
    return found


def _empty(session: Session, schema: str) -> None:
    query = f"select table_type, table_name from svv_tables where table_schema = '{schema}'"
    there = session.execute(query).rows
    for kind, name in sorted(there, reverse=True):  # views first
        word = "view" if kind == "VIEW" else "table"
        session.execute(f'drop {word} if exists {schema}."{name}" cascade')


def _asked(session: Session, schema: str, case: Case) -> dict[str, Any]:
    """The answer of one case, and how it compares."""
    try:
        for statement in case.statements:
            answer = session.execute(re.sub(r"\bpublic\.", f"{schema}.", statement))
    except StatementError as error:
        _back(session)
        said = f"{error.code} {error.message}"
        if error.code == "0A000" and "the local Redshift has no rule" in error.message:
            return _told(case, "refused", said)
        agrees = bool(case.error) and error.code == case.error.split()[0]
        kind = "learned" if case.refused else "agrees" if agrees else "differs"
        return _told(case, kind, said)
    rows = [shown(tuple(row)).replace(f"'{schema}'", "'public'") for row in answer.rows]
    if case.refused:
        return _told(case, "learned", rows, answer.types)
    expected = case.rows
    if "order by" not in case.statements[-1].lower():  # then any order is right
        rows, expected = sorted(rows), sorted(expected)
    agrees = not case.error and rows == expected
    if case.types and ", ".join(answer.types) != case.types:
        agrees = False
    return _told(case, "agrees" if agrees else "differs", rows, answer.types)


def _back(session: Session) -> None:
    """Out of a transaction that a statement of the case had begun."""
    session.execute("rollback")


def _told(case: Case, outcome: str, found: Any, types: Sequence[str] = ()) -> dict[str, Any]:
    return {
        "case": f"{case.file}: {case.title}",
        "source": case.source,
        "outcome": outcome,
        "statements": case.statements,
        "expected": case.error or case.rows or "not certain",
        "found": found,
        "types": list(types),
    }


def report(warehouse: Warehouse, chosen: Sequence[Case]) -> dict[str, Any]:
    """All answers, with what and when."""
    version = warehouse.query("select version()").scalar()
    answers = ask(warehouse, chosen)
    return {
        "server": version,
        "warehouse": warehouse.identity,
        "at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "versions": {name: metadata.version(name) for name in _PACKAGES},
        "outcomes": dict(Counter(answer["outcome"] for answer in answers)),
        "answers": answers,
    }


def main() -> int:
    """Ask, write the file, name what differs; 1 where something does."""
    from orderhe_dagster.resources.build import build_warehouse
    from orderhe_dagster.settings.config import load_settings

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--to", type=Path, default=Path("conformance.json"), help="the file to write"
    )
    parser.add_argument("--only", default="", help="cases whose name holds this")
    asked = parser.parse_args()
    chosen = [case for case in cases() if asked.only in f"{case.file}: {case.title}"]
    told = report(build_warehouse(load_settings()), chosen)
    asked.to.write_text(json.dumps(told, indent=1, ensure_ascii=False, default=str) + "\n", "utf-8")
    for answer in told["answers"]:
        if answer["outcome"] == "differs":
            print(f"{answer['case']}: expected {answer['expected']}, found {answer['found']}")
    print(f"{told['server']}: {told['outcomes']}; the answers are in {asked.to}")
    return int("differs" in told["outcomes"])


if __name__ == "__main__":
    sys.exit(main())
