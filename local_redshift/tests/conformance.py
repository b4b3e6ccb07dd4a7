"""Asks a Redshift the statements of `statements/*.sql`, and compares its answers with what is expected.

`python -m tests.conformance` asks the one that psql's variables name (PGHOST, PGPORT, PGUSER, PGPASSWORD,
PGDATABASE, PGSSLMODE, PGSSLROOTCERT): a real workgroup, or the local one's wire server. Everything happens
in a schema of its own, which is dropped at the end. The answers are written to a JSON file with the
versions; what it says of the uncertain is worth keeping.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

from local_redshift.errors import RedshiftError
from tests.statement_files import Case, cases, shown, tables

_BEYOND = re.compile(
    r"s3://|\b(?:create|alter|drop)\s+(?:user|group|role|schema|database|default)\b|"
    r"\balter\s+default\b|\bvacuum\b|\bdev\b",
    re.IGNORECASE,
)
"""What would need a bucket, would change more than the schema of this run, or names our database."""
_PACKAGES = ("local-redshift", "redshift-connector", "sqlglot", "duckdb")


class Answer(NamedTuple):
    """What a statement gave; the types are Redshift's."""

    rows: Sequence[Sequence[Any]] = ()
    types: Sequence[str] = ()


Execute = Callable[[str], Answer]
"""Runs one statement, committed at once. RedshiftError: it failed, as the server says."""


# -- what is asked -----------------------------------------------------------------------------------


@contextmanager
def own_schema(execute: Execute) -> Iterator[str]:
    """A new schema, which is the search path; dropped afterwards."""
    name = f"conformance_{uuid.uuid4().hex[:12]}"
    execute(f"create schema {name}")
    try:
        execute(f"set search_path to {name}")
        yield name
    finally:
        execute(f"drop schema {name} cascade")


def ask(execute: Execute, chosen: Sequence[Case]) -> list[dict[str, Any]]:
    """What came of each case; the tables are made anew after one that changes something."""
    answers = []
    with own_schema(execute) as schema:
        fresh = False
        for case in chosen:
            if _BEYOND.search(case.sql):
                answers.append(_outcome(case, "skipped", "it reaches beyond a schema of its own"))
                continue
            if not fresh:
                _empty(execute, schema)
                for statement in tables():
                    execute(statement)
            answers.append(_asked(execute, schema, case))
            fresh = len(case.statements) == 1 and case.sql.lower().startswith(("select", "with"))
    return answers


def _empty(execute: Execute, schema: str) -> None:
    query = f"select table_type, table_name from svv_tables where table_schema = '{schema}'"
    there = [tuple(row) for row in execute(query).rows]
    for kind, name in sorted(there, reverse=True):  # views first
        word = "view" if kind == "VIEW" else "table"
        execute(f'drop {word} if exists {schema}."{name}" cascade')


def _asked(execute: Execute, schema: str, case: Case) -> dict[str, Any]:
    """The answer of one case, and how it compares."""
    answer = Answer()
    try:
        for statement in case.statements:
            answer = execute(re.sub(r"\bpublic\.", f"{schema}.", statement))
    except RedshiftError as error:
        execute("rollback")  # of a transaction that a statement of the case had begun
        words = f"{error.code} {error.message}"
        if error.code == "0A000" and "the local Redshift has no rule" in error.message:
            return _outcome(case, "refused", words)
        agrees = bool(case.error) and error.code == case.error.split()[0]
        kind = "learned" if case.refused else "agrees" if agrees else "differs"
        return _outcome(case, kind, words)
    if case.statements[0].lower() == "begin":
        execute("rollback")
    rows = [shown(tuple(row)).replace(f"'{schema}'", "'public'") for row in answer.rows]
    if case.refused:
        return _outcome(case, "learned", rows, answer.types)
    expected = case.rows
    if "order by" not in case.statements[-1].lower():  # then any order is right
        rows, expected = sorted(rows), sorted(expected)
    agrees = not case.error and rows == expected
    if case.types and ", ".join(answer.types) != case.types:
        agrees = False
    return _outcome(case, "agrees" if agrees else "differs", rows, answer.types)


def _outcome(case: Case, outcome: str, answer: Any, types: Sequence[str] = ()) -> dict[str, Any]:
    return {
        "case": f"{case.file}: {case.title}",
        "source": case.source,
        "outcome": outcome,
        "statements": case.statements,
        "expected": case.error or case.rows or "not certain",
        "found": answer,
        "types": list(types),
    }


def report(execute: Execute, server: str, chosen: Sequence[Case]) -> dict[str, Any]:
    """All answers, with what and when; `server` is where it was asked."""
    ((version,),) = execute("select version()").rows
    answers = ask(execute, chosen)
    return {
        "server": version,
        "warehouse": server,
        "at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "versions": {name: metadata.version(name) for name in _PACKAGES},
        "outcomes": dict(Counter(answer["outcome"] for answer in answers)),
        "answers": answers,
    }


# -- by redshift-connector ---------------------------------------------------------------------------

_NAMES = {
    16: "boolean", 20: "bigint", 21: "smallint", 23: "integer", 700: "real", 701: "double",
    1082: "date", 1114: "timestamp", 1184: "timestamptz", 1266: "timetz", 1083: "time",
    4000: "super", 25: "text",
}  # fmt: skip
_SIZED = {1042: "char", 1043: "varchar", 6551: "varbyte"}


def type_name(oid: int, modifier: int) -> str:
    """Redshift's name of a column's type, from the row description."""
    if oid == 1700 and modifier > 0:
        return f"decimal({(modifier - 4) >> 16},{(modifier - 4) & 0xFFFF})"
    if oid in _SIZED and modifier > 4:
        return f"{_SIZED[oid]}({modifier - 4})"
    return {1700: "decimal", **_SIZED, **_NAMES}.get(oid, f"oid {oid}")


def executing(connection: Any) -> Execute:
    """Statements on a connection of redshift-connector, each committed at once."""
    import redshift_connector

    connection.autocommit = True

    def execute(sql: str) -> Answer:
        cursor = connection.cursor()
        try:
            cursor.execute(sql)
        except redshift_connector.Error as error:
            fields = error.args[0] if error.args and isinstance(error.args[0], dict) else None
            if fields is None:  # the driver's own, as of a connection that was lost
                raise
            raise RedshiftError(fields.get("C", "XX000"), fields.get("M", "")) from None
        columns = cursor.ps["row_desc"]
        rows = cursor.fetchall() if columns else ()
        types = [type_name(one["type_oid"], one["type_modifier"]) for one in columns or ()]
        return Answer(rows, types)

    return execute


def connected(variables: Mapping[str, str]) -> Any:
    """A connection by psql's variables."""
    import redshift_connector

    missing = [name for name in ("PGHOST", "PGUSER", "PGPASSWORD") if not variables.get(name)]
    if missing:
        sys.exit(f"{' and '.join(missing)}: set them as for psql")
    mode = variables.get("PGSSLMODE", "verify-full")
    if variables.get(
        "PGSSLROOTCERT"
    ):  # the driver takes no CA file, but OpenSSL reads where its own are
        os.environ["SSL_CERT_FILE"] = variables["PGSSLROOTCERT"]
    return redshift_connector.connect(
        host=variables["PGHOST"],
        port=int(variables.get("PGPORT", "5439")),
        user=variables["PGUSER"],
        password=variables["PGPASSWORD"],
        database=variables.get("PGDATABASE", "dev"),
        **({"ssl": False} if mode == "disable" else {"ssl": True, "sslmode": mode}),
    )


# -- the command -------------------------------------------------------------------------------------


def run(opened: Callable[[], Any]) -> int:
    """Ask, write the file, name what differs; 1 where something does.

    `opened` gives a context manager of what executes statements, and of where that is.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--to", type=Path, default=Path("conformance.json"), help="the file to write"
    )
    parser.add_argument("--only", default="", help="cases whose name holds this")
    options = parser.parse_args()
    chosen = [case for case in cases() if options.only in f"{case.file}: {case.title}"]
    with opened() as (execute, server):
        result = report(execute, server, chosen)
    text = json.dumps(result, indent=1, ensure_ascii=False, default=str)
    options.to.write_text(text + "\n", "utf-8")
    for answer in result["answers"]:
        if answer["outcome"] == "differs":
            print(f"{answer['case']}: expected {answer['expected']}, found {answer['found']}")
    print(f"{result['server']}: {result['outcomes']}; the answers are in {options.to}")
    return int("differs" in result["outcomes"])


@contextmanager
def _by_variables() -> Iterator[tuple[Execute, str]]:
    with closing(connected(os.environ)) as connection:
        yield executing(connection), os.environ["PGHOST"]


if __name__ == "__main__":
    sys.exit(run(_by_variables))
