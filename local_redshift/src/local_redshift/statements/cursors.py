"""Cursors: DECLARE, FETCH, CLOSE, by Amazon's rules: one at a time, in a transaction, forward only."""

from __future__ import annotations

from local_redshift.database.results import Rows
from local_redshift.database.session import Cursor, Session
from local_redshift.errors import RedshiftError, refuse
from local_redshift.read.words import Words


def declare(session: Session, words: Words, sql: str) -> Rows:
    """DECLARE name CURSOR FOR query: the rows are those of now."""
    name = words.name()
    words.expect("cursor")
    if words.peek("with") or words.peek("without"):
        raise refuse("a cursor with or without hold", "write declare … cursor for …")
    words.expect("for")
    if session.state != "open":
        raise RedshiftError(
            "25P01", "DECLARE CURSOR may only be used in transaction blocks: begin one before it"
        )
    if session.cursor is not None:
        if session.cursor.name == name:
            raise RedshiftError("42P03", f'cursor "{name}" already exists')
        raise RedshiftError(
            "0A000", f'only one cursor can be open per session: close "{session.cursor.name}" first'
        )
    rows = session.query(session.compiled(words.rest())).all()
    session.cursor = Cursor(name, rows)
    return Rows()


def fetch(session: Session, words: Words, sql: str) -> Rows:
    """FETCH [NEXT | ALL | FORWARD [n | ALL]] FROM name."""
    most = _most(words)
    if not words.take("from"):
        words.expect("in")
    cursor = _open(session, words)
    rows = cursor.rows.rows[cursor.at :][:most]
    cursor.at += len(rows)
    return Rows(cursor.rows.columns, cursor.rows.types, rows, len(rows))


def close(session: Session, words: Words, sql: str) -> Rows:
    """CLOSE name."""
    _open(session, words)
    session.cursor = None
    return Rows()


def described(session: Session, words: Words) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The columns and types that a FETCH would give."""
    _most(words)
    _ = words.take("from") or words.take("in")
    cursor = _open(session, words)
    return cursor.rows.columns, cursor.rows.types


def _open(session: Session, words: Words) -> Cursor:
    name = words.name()
    words.end()
    if session.cursor is None or session.cursor.name != name:
        raise RedshiftError("34000", f'cursor "{name}" does not exist')
    return session.cursor


def _most(words: Words) -> int | None:
    """How many rows are asked for; None: all that are left."""
    for word in ("backward", "prior", "first", "last", "absolute", "relative"):
        if words.peek(word):
            raise refuse(f"fetch {word}", "fetch forward, as on Amazon Redshift")
    if words.take("all"):
        return None
    if words.take("forward"):
        if words.take("all"):
            return None
        if not words.words[words.at : words.at + 1] or not words.words[words.at].text.isdigit():
            return 1
        count = int(words.next().text)
        if count == 0:
            raise refuse("fetch forward 0", "keep the row that was fetched last")
        return count
    words.take("next")
    return 1
