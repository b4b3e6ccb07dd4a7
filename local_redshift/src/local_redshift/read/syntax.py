"""Redshift's syntax: forms that only sqlglot reads are refused among the words; then the tree. No meaning."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from local_redshift.errors import RedshiftError, refuse
from local_redshift.read import dialect
from local_redshift.read.dialect import DATABASE, RESERVED, folded
from local_redshift.read.words import Word, scan

if TYPE_CHECKING:
    from sqlglot import exp

_CLAUSES_TEXT = """
    from where group order having limit offset union except minus intersect qualify on as then
    when else end and or join into desc asc
"""
_CLAUSES = frozenset(_CLAUSES_TEXT.split())
_JOINED_TEXT = """
    , where group order having limit union except minus intersect qualify
"""
_JOINED = frozenset(_JOINED_TEXT.split())
_OWN_SCHEMAS = re.compile(r"(\blike\s+)'pg\\_%'", re.IGNORECASE)
_FOREIGN = frozenset(("rlike", "regexp", "glob", "div", "mod", "xor"))
_TABLE_FUNCTIONS = ("pg_get_late_binding_view_cols",)
"""Functions of the catalogue that stand in FROM."""
_WITHOUT_BRACKETS = frozenset(("current_date", "sysdate"))
_NEEDS_ON = "a join needs ON or USING: write cross join if you mean it"
_TYPES_TEXT = """
    smallint int2 integer int int4 bigint int8 real float4 double float8 float boolean bool date
    timestamp timestamptz varchar character nvarchar text decimal numeric varbyte varbinary binary
    char nchar bpchar super time timetz interval geometry geography hllsketch regclass oid
"""
_TYPES = frozenset(_TYPES_TEXT.split())


def parse(sql: str) -> exp.Expression:
    """The tree of one statement. RedshiftError 42601 names the place that Redshift cannot read."""
    # dbt asks for schemas by this pattern: read either way, it names Redshift's own.
    sql = _OWN_SCHEMAS.sub(r"\1'pg\\\\_%'", sql)
    words = scan(sql)
    while words and words[-1].lower == ";":
        words.pop()
    for place, word in enumerate(words):
        _check(words, place, word)
    _joins(words)
    return _plain(dialect.parse(sql))


def _joins(words: list[Word]) -> None:
    """Every JOIN, but CROSS and NATURAL ones, has its ON or USING: sqlglot reads a comma otherwise."""
    waiting = [0]  # how many joins wait for it, by depth of brackets
    for place, word in enumerate(words):
        lower = word.lower
        if lower == "(":
            waiting.append(0)
        elif lower == "join":
            waiting[-1] += _needs_on(words, place)
        elif lower == "on" or (lower == "using" and _follows(words, place, "(")):
            waiting[-1] = max(waiting[-1] - 1, 0)
        elif lower in _JOINED or lower == ")":
            if waiting[-1]:
                raise _error(words, place, _NEEDS_ON)
            if lower == ")" and len(waiting) > 1:
                waiting.pop()
    if waiting[-1]:
        raise _error(words, len(words), _NEEDS_ON)


def _needs_on(words: list[Word], place: int) -> bool:
    before = [word.lower for word in words[max(place - 3, 0) : place]]
    return "natural" not in before and before[-1:] != ["cross"]


def _follows(words: list[Word], place: int, sign: str) -> bool:
    return [word.lower for word in words[place + 1 : place + 2]] == [sign]


def _error(words: list[Word], place: int, hint: str = "") -> RedshiftError:
    near = f'"{words[place].text[:60]}"' if place < len(words) else "end of input"
    return RedshiftError("42601", f"syntax error at or near {near}{': ' + hint if hint else ''}")


def _check(words: list[Word], place: int, word: Word) -> None:
    following = words[place + 1] if place + 1 < len(words) else None
    after = following.lower if following else ""
    if word.kind == "string" and "\\" in word.text and not word.text.startswith("$$"):
        if place and words[place - 1].lower == "e" and words[place - 1].end == word.start:
            raise refuse("escapes in a text that begins with E", "write it without E")
        _escapes(word)
    elif word.kind == "sign":
        _sign(words, place, word, following)
    elif word.lower in RESERVED and after == ".":
        raise _error(words, place, "a reserved word, quote it")
    elif word.lower in _FOREIGN:
        _operator(words, place, word, following)
    elif word.lower == "limit" and place + 2 < len(words) and words[place + 2].lower == ",":
        raise _error(words, place + 2, "write limit … offset …")
    elif word.lower in _WITHOUT_BRACKETS and after == "(":
        raise _error(words, place + 1, f"{word.lower} takes no brackets")
    elif after == "(":
        _call(words, place, word)


def _escapes(word: Word) -> None:
    """Of the escapes in a text, those that Amazon's pages use are read."""
    for escaped in re.findall(r"\\(.)", word.text, re.DOTALL):
        if escaped not in "\\'nt":
            raise refuse(
                f"the escape \\{escaped} in a text", "write \\\\ for a backslash, \\' for a quote"
            )


def _call(words: list[Word], place: int, word: Word) -> None:
    if word.lower == "extract" and [w.lower for w in words[place + 3 : place + 4]] == [","]:
        raise _error(words, place + 3, "write extract(part from …)")
    if word.lower == "position":
        for at, inside in _within(words, place + 1):
            if inside.lower == ",":
                raise _error(words, at, "write position(… in …)")
    elif word.lower in ("cast", "try_cast"):
        for at, inside in _within(words, place + 1):
            if inside.lower == "as":
                _type(words, at + 1)
    elif word.lower == "convert":
        _type(words, place + 2)


def _within(words: list[Word], bracket: int) -> list[tuple[int, Word]]:
    """The words between a bracket and its partner that are in no other bracket, with their places."""
    places, depth = [], 0
    for at in range(bracket, len(words)):
        depth += {"(": 1, ")": -1}.get(words[at].lower, 0)
        if depth == 0:
            break
        if depth == 1:
            places.append((at, words[at]))
    return places


def _sign(words: list[Word], place: int, word: Word, following: Word | None) -> None:
    after = following.lower if following else ""
    if word.text == ",":
        _comma(words, place, following)
    elif word.text == "::":
        _type(words, place + 1)
    elif word.text == "=" and after == "=":
        raise _error(words, place + 1, "compare with one =")
    elif word.text == "!" and after != "~":
        raise _error(words, place, "write not")
    elif word.text == "@":
        left = words[place - 1] if place else None
        if left is not None and (left.kind == "sign" or left.lower in RESERVED):
            raise refuse("the operator @", "write abs(…)")
        raise _error(words, place, "a name has no @, and abs() is the absolute value")


def _comma(words: list[Word], place: int, following: Word | None) -> None:
    before = words[place - 1].lower if place else "("
    if before in ("(", ",", "select"):
        raise _error(words, place, "an expression is missing before the comma")
    if following is None or following.lower in (")", ",", *_CLAUSES):
        raise _error(words, place + 1, "an expression is missing after the comma")


def _operator(words: list[Word], place: int, word: Word, following: Word | None) -> None:
    """Other engines' operators that are words; where they are names, nothing is wrong."""
    before = words[place - 1] if place else None
    if before is None or following is None:
        return
    operand = before.kind in ("number", "string", "quoted") or before.text == ")"
    operand = operand or (before.kind == "word" and before.lower not in RESERVED | {"by"})
    starts = following.kind in ("number", "string", "quoted") or (
        following.kind == "word" and following.lower not in RESERVED
    )
    if (operand or before.lower == "not") and starts:
        raise _error(words, place, f"Redshift has no operator {word.lower}")


def _type(words: list[Word], place: int) -> None:
    """The name of a type must be one of Redshift's: sqlglot would translate other engines' names."""
    if place >= len(words):
        raise _error(words, place, "a type expected")
    name = words[place].lower
    after = words[place + 1].lower if place + 1 < len(words) else ""
    if name not in _TYPES or (name == "double" and after != "precision"):
        raise refuse(
            f"the type {words[place].text[:60]}",
            "use a type that docs/reference.md of local-redshift lists",
        )
    if name == "text" and after == "(":
        raise _error(words, place + 1, "text has no length: write varchar(n)")


# -- names -----------------------------------------------------------------------------------------


def _plain(tree: exp.Expression) -> exp.Expression:
    """The tree with every name as short as it can be.

    Clients write the database or pg_catalog before names: `dev.mart.sales` is `mart.sales`,
    `pg_catalog.version()` is `version()`. Other databases are refused.
    """
    from sqlglot import exp

    for node in list(tree.find_all(exp.Table, exp.Column)):
        database = node.args.get("catalog")
        if database is not None:
            if folded(database.name) != DATABASE:
                remedy = "leave the database out; into a super go by one step after another"
                raise refuse(f"{node.sql('redshift')[:60]}: a name of another database", remedy)
            node.set("catalog", None)
        if isinstance(node, exp.Table):
            _function(node)
    for text in list(tree.find_all(exp.ByteString)):
        text.replace(exp.Literal.string(str(text.this)))  # those with escapes were refused
    for dot in list(tree.find_all(exp.Dot)):
        called = dot.expression
        if isinstance(called, exp.Func) and str(dot.this.name).lower() == "pg_catalog":
            dot.replace(called)
    return tree


def _function(table: Any) -> None:
    """A function of the catalogue in FROM, its columns listed with types: a view of that name."""
    from sqlglot import exp

    called = table.this
    if not isinstance(called, exp.Anonymous) or called.expressions:
        return
    if str(called.this).lower() not in _TABLE_FUNCTIONS:
        return
    table.set("this", exp.to_identifier(str(called.this).lower()))
    alias = table.args.get("alias")
    if alias is not None:
        columns = alias.args.get("columns") or []
        alias.set(
            "columns", [getattr(c, "this", c) if c.key == "columndef" else c for c in columns]
        )
