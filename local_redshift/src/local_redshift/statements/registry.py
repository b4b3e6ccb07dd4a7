"""Which statement is run by what: one line each. What a statement means is in the modules named here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from local_redshift.copy.copy import run_copy
from local_redshift.copy.unload import run_unload
from local_redshift.database.results import Notice, Rows, Stream
from local_redshift.database.session import Session
from local_redshift.errors import RedshiftError, refuse
from local_redshift.read.syntax import parse
from local_redshift.read.words import Words
from local_redshift.statements import cursors, grants, settings, utility
from local_redshift.statements.alter import alter, stands_alone
from local_redshift.statements.columns import Reader
from local_redshift.statements.ddl import create, select_into
from local_redshift.statements.dml import CHANGES, Writer
from local_redshift.statements.drops import drop
from local_redshift.statements.merge import merge
from local_redshift.statements.views import refreshed
from local_redshift.transactions.commands import Command
from local_redshift.transactions.isolation import LEVELS
from local_redshift.transactions.locks import Mode
from local_redshift.values.catalog import DATABASE
from local_redshift.values.uses import Uses

Run = Callable[[Session, Words, str], Rows | Stream]


@dataclass(frozen=True)
class Statement:
    """How one statement is run. `run` gets the session, the words after the first, and the text.

    `tag`: the command tag, where the first word in capitals is not it; `{n}` is the count of rows.
    `ends`: it ends a transaction, so it runs in a failed one, too.
    `alone`: it cannot run inside a transaction block.
    `query`: it gives rows, and the session's `describe` knows them. `shape`: what `describe` asks of
    another statement that gives rows.
    """

    run: Run
    tag: str = ""
    shape: Callable[[Session, Words], tuple[tuple[str, ...], tuple[str, ...]]] | None = None
    ends: bool = False
    alone: bool = False
    query: bool = False


def _select(session: Session, words: Words, sql: str) -> Stream:
    return session.query(session.compiled(sql))


def _change(verb: str) -> Run:
    """INSERT, UPDATE, DELETE."""

    def run(session: Session, words: Words, sql: str) -> Rows:
        tree = parse(sql)
        if tree.key != verb:
            raise refuse(
                f"this form of {verb}", "write it in a form of docs/reference.md of local-redshift"
            )
        return session.run(CHANGES[verb](Writer(session.catalog, session.compiler()), tree))

    return run


def _merge(session: Session, words: Words, sql: str) -> Rows:
    return session.run(merge(Writer(session.catalog, session.compiler()), words))


def _into(session: Session, words: Words, sql: str) -> Rows:
    return session.define(select_into(_reader(session), sql))


def _create(session: Session, words: Words, sql: str) -> Rows:
    return session.define(create(_reader(session), words))


def _drop(session: Session, words: Words, sql: str) -> Rows:
    return session.define(drop(words, session.catalog))


def _reader(session: Session) -> Reader:
    return Reader(session.catalog, session.compiler)


def _alter(session: Session, words: Words, sql: str) -> Rows:
    """ALTER TABLE; what of it cannot stand in a transaction is refused there."""
    alone = stands_alone(words)
    if alone and session.state != "idle":
        raise RedshiftError("25001", f"{alone} cannot run inside a transaction block")
    return session.define(alter(_reader(session), words))


def _refresh(session: Session, words: Words, sql: str) -> Rows:
    words.expect("materialized", "view")
    relation = session.catalog.get(*words.table())
    words.end()
    session.run(refreshed(relation, session.catalog))
    return Rows()


def _comment(session: Session, words: Words, sql: str) -> Rows:
    return session.define(utility.comment(words, session.catalog))


def _truncate(session: Session, words: Words, sql: str) -> Rows:
    """Empties the table and commits: the transaction around it, too, as on Redshift."""
    words.take("table")
    table = session.catalog.table(*words.table())
    words.end()
    session.run([Command(f"DELETE FROM {table.sql}", Uses(), table, Mode.WRITE)], alone=True)
    session.commit()
    return Rows()


def _begin(session: Session, words: Words, sql: str) -> Rows:
    """BEGIN and START TRANSACTION. The isolation is the database's, whatever level is named here."""
    _ = words.take("work") or words.take("transaction")
    read_only = False
    while not words.done:
        if words.take("isolation", "level"):
            if not any(words.take(*level) for level in settings.LEVELS):
                raise refuse("this isolation level", "it is the database's, leave it out")
        elif words.take("read", "only"):
            read_only = True
        else:
            words.expect("read", "write")
            read_only = False
        words.take(",")
    if session.state != "idle":
        notice = Notice("WARNING", "25001", "there is already a transaction in progress")
        return Rows(tag="BEGIN", notices=(notice,))
    session.begin(read_only=read_only)
    return Rows(tag="BEGIN")


def _end(end: str) -> Run:
    """COMMIT, ROLLBACK and their other names."""

    def run(session: Session, words: Words, sql: str) -> Rows:
        _ = words.take("work") or words.take("transaction")
        words.end()
        if session.state == "idle":
            notice = Notice("WARNING", "25P01", "there is no transaction in progress")
            return Rows(tag=end.upper(), notices=(notice,))
        failed = session.state == "failed"
        getattr(session, end)()
        return Rows(tag="ROLLBACK" if failed else end.upper())

    return run


def _lock(session: Session, words: Words, sql: str) -> Rows:
    """LOCK [TABLE] a, b: alone with these tables until the transaction ends. Takes no snapshot."""
    tables = utility.lock(words, session.catalog)
    for table in tables:
        session.catalog.permit(table, "update", "delete", "truncate")
    wanted = {str(table): Mode.ALONE for table in tables if table.schema is not None}
    session.lock(wanted)
    return Rows()


def _isolation(session: Session, words: Words, sql: str) -> Rows:
    """ALTER DATABASE dev ISOLATION LEVEL …: for all transactions, until the database is closed."""
    words.next()
    if words.name() != DATABASE:
        raise refuse("alter database of another database", f"there is one, called {DATABASE}")
    if not words.take("isolation", "level"):
        raise refuse("this form of alter database", "there is alter database … isolation level")
    level = words.next().text.upper()
    words.end()
    if level not in LEVELS:
        raise refuse(f"isolation level {level}", f"there are {' and '.join(LEVELS)}")
    if session.catalog.access is not None:
        raise RedshiftError("42501", f"must be owner of database {DATABASE}")
    if session.database.sessions != [session]:
        raise RedshiftError("55006", f'database "{DATABASE}" is being accessed by other users')
    session.database.transactions.level = level
    return Rows()


def _utility(run: Callable[..., None], *more: str) -> Run:
    """A statement of `utility`: read strictly, nothing to run."""

    def read(session: Session, words: Words, sql: str) -> Rows:
        run(words, session.catalog, *more)
        return Rows()

    return read


def _defining(run: Callable[..., list[Command]], *more: str) -> Run:
    """A statement that changes definitions, and needs the catalogue alone."""

    def define(session: Session, words: Words, sql: str) -> Rows:
        return session.define(run(words, session.catalog, *more))

    return define


_BEGIN = Statement(_begin)
_COMMIT = Statement(_end("commit"), ends=True)
_ROLLBACK = Statement(_end("rollback"), ends=True)
_SELECT = Statement(_select, tag="SELECT", query=True)

# By the first two words, or by the first. A statement that is not here is refused by name.
STATEMENTS: dict[str, Statement] = {
    "(": _SELECT,
    "abort": _ROLLBACK,
    "alter": Statement(_alter, tag="ALTER {word}"),
    "alter database": Statement(_isolation, tag="ALTER DATABASE", alone=True),
    "alter default": Statement(
        _defining(grants.default_privileges), tag="ALTER DEFAULT PRIVILEGES"
    ),
    "analyze": Statement(_utility(utility.analyze)),
    "begin": _BEGIN,
    "close": Statement(cursors.close, tag="CLOSE CURSOR"),
    "comment": Statement(_comment),
    "commit": _COMMIT,
    "copy": Statement(run_copy),
    "create": Statement(_create, tag="CREATE {word}"),
    "declare": Statement(cursors.declare, tag="DECLARE CURSOR"),
    "delete": Statement(_change("delete"), tag="DELETE {n}"),
    "drop": Statement(_drop, tag="DROP {word}"),
    "end": _COMMIT,
    "explain": Statement(_select, tag="EXPLAIN", query=True),
    "fetch": Statement(cursors.fetch, tag="FETCH {n}", shape=cursors.described),
    "grant": Statement(_defining(grants.grant, "to")),
    "insert": Statement(_change("insert"), tag="INSERT 0 {n}"),
    "lock": Statement(_lock, tag="LOCK TABLE"),
    "merge": Statement(_merge, tag="MERGE"),
    "refresh": Statement(_refresh),
    "reset": Statement(_utility(settings.reset)),
    "revoke": Statement(_defining(grants.grant, "from")),
    "rollback": _ROLLBACK,
    "select": _SELECT,
    "select into": Statement(_into, tag="SELECT"),
    "set": Statement(_utility(settings.set_)),
    "show": Statement(_select, tag="SHOW", query=True),
    "start": _BEGIN,
    "truncate": Statement(_truncate, tag="TRUNCATE TABLE"),
    "unload": Statement(run_unload),
    "update": Statement(_change("update"), tag="UPDATE {n}"),
    "vacuum": Statement(_utility(utility.vacuum), alone=True),
    "with": _SELECT,
}


def read(sql: str) -> tuple[Statement, Words]:
    """The statement that a text is, and its words after the first. 0A000 where there is no rule."""
    words = Words(sql)
    if words.done:
        raise RedshiftError("42601", "the statement is empty")
    first = words.next().lower
    if first in ("select", "with") and (meant := _meant(first, words)) != first:
        return STATEMENTS[meant], words
    two = f"{first} {words.words[words.at].lower}" if not words.done else first
    statement = STATEMENTS.get(two) or STATEMENTS.get(first)
    if statement is None:
        raise refuse(
            f"the statement {words.words[0].text}", "see docs/reference.md of local-redshift"
        )
    return statement, words


def _meant(first: str, words: Words) -> str:
    """The statement that SELECT or WITH begins: `select into`, `update`, `delete`, or a query."""
    depth = 0
    for word in words.words[words.at - 1 :]:
        depth += {"(": 1, ")": -1}.get(word.lower, 0)
        if depth == 0 and word.lower == "into":
            return "select into"
        if depth == 0 and first == "with" and word.lower in ("update", "delete"):
            return word.lower
        if depth == 0 and word.lower == "from":
            break
    return first


def admit(statement: Statement, words: Words, state: str) -> None:
    """25P02 or 25001 where the statement cannot run in this state of the transaction."""
    if state == "failed" and not statement.ends:
        raise RedshiftError(
            "25P02",
            "current transaction is aborted, commands ignored until end of transaction block",
        )
    if statement.alone and state != "idle":
        verb = words.words[0].text.upper()
        raise RedshiftError("25001", f"{verb} cannot run inside a transaction block")


# -- what a statement is called ---------------------------------------------------------------------

_OBJECTS = (
    "database",
    "group",
    "materialized",
    "procedure",
    "role",
    "schema",
    "table",
    "user",
    "view",
)


def command_tag(statement: Statement, words: Words, count: int) -> str:
    """What a statement that changed `count` rows is called on the wire."""
    first, rest = words.words[0].text.upper(), words.words[1:]
    kinds = (word.text.upper() for word in rest if word.lower in _OBJECTS)
    word = next(kinds, "TABLE")
    word = "MATERIALIZED VIEW" if word == "MATERIALIZED" else word
    return (statement.tag or first).format(n=max(count, 0), word=word)


_KINDS = {
    "(": "SELECT",
    "alter": "DDL",
    "create": "DDL",
    "drop": "DDL",
    "select": "SELECT",
    "with": "SELECT",
}
_NAMED = (
    "analyze",
    "call",
    "copy",
    "delete",
    "insert",
    "merge",
    "truncate",
    "unload",
    "update",
    "vacuum",
)


def query_type(words: Words) -> str:
    """What a statement is called in SYS_QUERY_HISTORY."""
    verb = words.words[0].lower
    return _KINDS.get(verb) or (verb.upper() if verb in _NAMED else "UTILITY")
