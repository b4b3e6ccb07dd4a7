"""Reading Redshift's queries: the tree of one statement, and names. Meaning is given elsewhere.

sqlglot's Redshift parser is used with its table of functions emptied: every call stays a name and
its arguments, so that only what `functions` has a rule for can ever run.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from local_redshift.errors import RedshiftError, refuse

if TYPE_CHECKING:
    from sqlglot import exp

_OWN_SYNTAX = ("CAST", "TRY_CAST", "CONVERT", "EXTRACT", "SUBSTRING", "TRIM", "POSITION")


@cache
def _dialect() -> Any:
    from sqlglot import TokenType, exp
    from sqlglot.dialects.redshift import Redshift

    typed = Redshift.Parser.TYPE_TOKENS - {TokenType.INTERVAL}

    class Names(Redshift):
        class Parser(Redshift.Parser):  # type: ignore[misc, valid-type]
            FUNCTIONS: dict[str, Any] = {}  # noqa: RUF012 - the shape sqlglot asks for
            FUNCTION_PARSERS = {  # noqa: RUF012
                name: parser
                for name, parser in Redshift.Parser.FUNCTION_PARSERS.items()
                if name in _OWN_SYNTAX
            }

            def _parse_type(self, *arguments: Any, **named: Any) -> Any:
                """`date '2024-01-31'::timestamp`: the cast is of the day, and not of its text."""
                start = self._index
                if self._curr and self._curr.token_type in typed and self._next:
                    type_ = self._parse_types(check_func=True, allow_identifiers=False)
                    is_text = self._curr and self._curr.token_type == TokenType.STRING
                    if isinstance(type_, exp.DataType) and is_text:
                        cast = self.expression(exp.Cast(this=self._parse_primary(), to=type_))
                        return self._parse_column_ops(cast)
                    self._retreat(start)
                return super()._parse_type(*arguments, **named)

            def _parse_approximate_count(self) -> Any:
                """APPROXIMATE before an aggregate: a call of that name, around the aggregate's."""
                called = self._parse_function()
                return called and exp.Anonymous(this="approximate", expressions=[called])

            def _implicit_unnests_to_explicit(self, this: Any) -> Any:
                """Where no join can be one, look no further: that costs half of the parsing."""
                if any(
                    isinstance(join.this, exp.Table)
                    and len(join.this.parts) > 1
                    and not join.args.get("on")
                    for join in this.args.get("joins") or ()
                ):
                    return super()._implicit_unnests_to_explicit(this)
                return this

    return Names()


_DOCUMENTED = {
    re.compile(pattern, re.IGNORECASE): construct
    for pattern, construct in (
        (r"\bobject_transform\s*\(", "the function object_transform"),
        (r"\bunpivot\s+[\w.\"\[\]]+\s+as\b", "unpivot of a super"),
        (r"\bas\s+\w+\s+at\s+\w+", "the places of a super's elements (AT)"),
        (r"\bas\s+array\b", "the name array, a reserved word that Amazon's pages use unquoted"),
    )
}
"""What Amazon's pages have and sqlglot cannot read: refused where a statement cannot be read."""


def parse(sql: str) -> exp.Expression:
    """The tree of one statement. RedshiftError 42601 names the place that cannot be read."""
    from sqlglot.errors import SqlglotError

    try:
        trees = _dialect().parse(sql)
    except SqlglotError as error:
        if construct := next((one for one in _DOCUMENTED if one.search(sql)), None):
            raise refuse(_DOCUMENTED[construct]) from None
        raise RedshiftError("42601", _say(error)) from None
    if len(trees) != 1 or trees[0] is None:
        raise RedshiftError("42601", "syntax error: one statement expected")
    tree: exp.Expression = trees[0]
    return tree


def _say(error: Any) -> str:
    places = getattr(error, "errors", None)
    if not places or not places[0].get("highlight"):
        return f"syntax error: {str(error).splitlines()[0]}"
    place = places[0]
    return f'syntax error at or near "{place["highlight"]}" (line {place["line"]}, column {place["col"]})'


_RESERVED_TEXT = """
    aes128 aes256 all allowoverwrite analyse analyze and any array as asc authorization az64
    backup between binary blanksasnull both bytedict bzip2 case cast check collate column
    constraint create credentials cross current_date current_time current_timestamp current_user
    current_user_id default deferrable deflate defrag delta delta32k desc disable distinct do else
    emptyasnull enable encode encrypt encryption end except explicit false for foreign freeze from
    full globaldict256 globaldict64k grant group gzip having identity ignore ilike in initially
    inner intersect interval into is isnull join leading left like limit localtime localtimestamp
    lun luns lzo lzop minus mostly16 mostly32 mostly8 natural new not notnull null nulls off
    offline offset oid old on only open or order outer overlaps parallel partition percent
    permissions pivot placing primary raw readratio recover references rejectlog resort respect
    restore right select session_user similar snapshot some sysdate system table tag tdes text255
    text32k then timestamp to top trailing true truncatecolumns union unique unnest unpivot user
    using verbose wallet when where with without
"""
RESERVED = frozenset(_RESERVED_TEXT.split())


_UNREADABLE = RESERVED - {"oid"}
"""Without the name of columns of PostgreSQL's catalogue, which only what is made may not have."""

DATABASE = "dev"
"""The name of the one database there is."""


def name(identifier: Any) -> str:
    """The folded name of an identifier; an unquoted reserved word is an error."""
    text = folded(str(identifier.name))
    if text in _UNREADABLE and not identifier.args.get("quoted"):
        raise RedshiftError("42601", f'syntax error at or near "{text}": a reserved word, quote it')
    return text


def folded(text: str) -> str:
    """A name as Redshift keeps it: lower case, and cut to whole characters within 127 bytes."""
    return text.lower().encode("utf-8")[:127].decode("utf-8", "ignore")


def quote(text: str) -> str:
    """`text` as a quoted identifier."""
    return '"' + text.replace('"', '""') + '"'


def string(text: str) -> str:
    """`text` as a string literal of DuckDB."""
    return "'" + text.replace("'", "''") + "'"
