"""The type that Redshift gives an expression, by its documented rules. What names stand for: `inference`.

A table of rules, one a kind of expression. Where Amazon's pages leave the type open, or it depends on what
is not written, the expression is refused with the cast to write (`TypeRefused`); where there is no rule, the
type is None.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from orderhe_dagster.catalog.errors import TypeRefused
from orderhe_dagster.catalog.mysql_types import DECIMAL_DIGITS, VARCHAR_BYTES
from orderhe_dagster.catalog.table import ColumnType, Kind
from orderhe_dagster.catalog.types import redshift_text

if TYPE_CHECKING:
    from sqlglot import exp


@dataclass(frozen=True)
class Untyped:
    """A text in quotes or a null, which takes the type of what it stands beside; alone it has none."""

    text: str | None  # None: null

    @property
    def length(self) -> int:
        """Its bytes, as a text."""
        return max(len((self.text or "").encode()), 1)


Given = ColumnType | Untyped
TypeOf = Callable[["exp.Expr"], Given | None]
"""The type of a part of an expression; None: not known."""
Rule = Callable[[Any, TypeOf], Given | None]

_INTEGERS: dict[Kind, int] = {"smallint": 5, "integer": 10, "bigint": 19}  # digits of each
_SIZES: dict[Kind, int] = {
    **{"smallint": 6, "integer": 11, "bigint": 20},
    **{"date": 13, "timestamp": 29},
}
"""The most bytes of a value as text."""
_SHOWN = 60
NULL_HAS_NONE = "null has no type of its own: write null::integer, or the type it is of"


def computed_type(node: exp.Expr, of: TypeOf) -> Given | None:
    """The type of an expression that is neither a column, a cast nor a subquery; `of` types its parts.

    None where no rule is known. TypeRefused where a cast must say which type is meant.
    """
    from sqlglot import exp

    rules, families = _rules()
    rule = rules.get(type(node))
    if rule is None and isinstance(node, exp.Anonymous):
        rule = _ANONYMOUS.get(node.name.lower())
    if rule is None:
        rule = next((rule for family, rule in families if isinstance(node, family)), None)
    return None if rule is None else rule(node, of)


def settled(given: Given | None, node: exp.Expr) -> ColumnType | None:
    """The type as a column has it. TypeRefused for a text or null that nothing gives a type to."""
    if not isinstance(given, Untyped):
        return given
    if given.text is None:
        raise TypeRefused(NULL_HAS_NONE)
    text = node.sql(dialect="redshift")
    raise TypeRefused(
        f"a text in quotes has no type of its own in Redshift: write {_short(text)}::varchar({given.length})"
    )


# ---- types


def _plain(kind: Kind) -> ColumnType:
    return _declared(ColumnType(kind))


def _declared(kind: ColumnType) -> ColumnType:
    return replace(kind, declared=redshift_text(kind))


def _decimal(precision: int, scale: int) -> ColumnType:
    return _declared(ColumnType("decimal", precision=precision, scale=scale))


def _varchar(length: int) -> ColumnType:
    return _declared(ColumnType("varchar", length=min(max(length, 1), VARCHAR_BYTES)))


def _is_exact(kind: ColumnType) -> bool:
    return kind.kind in _INTEGERS or kind.kind == "decimal"


def _is_number(kind: ColumnType) -> bool:
    return _is_exact(kind) or kind.kind in ("real", "double")


def _as_decimal(kind: ColumnType) -> ColumnType:
    return _decimal(_INTEGERS[kind.kind], 0) if kind.kind in _INTEGERS else kind


def unified(given: Sequence[Given | None], node: exp.Expr) -> Given | None:
    """The one type of values of these types, as `case` and `coalesce` have it. TypeRefused: they differ."""
    if any(one is None for one in given):
        return None
    known = [one for one in given if isinstance(one, ColumnType)]
    texts = [one for one in given if isinstance(one, Untyped)]
    if not known:
        return _varchar(max(one.length for one in texts)) if any(t.text for t in texts) else None
    kinds = {one.kind for one in known}
    if kinds == {"varchar"}:
        longest = max((one.length for one in texts), default=1)
        return _varchar(max(longest, *(one.length for one in known)))
    if len(kinds) == 1 and "decimal" not in kinds:
        return replace(known[0], instant=all(one.instant for one in known))
    if all(map(_is_number, known)):
        return _numbers(known, node)
    if kinds == {"date", "timestamp"}:
        return _plain("timestamp")
    raise _differ(known, node)


def _numbers(known: Sequence[ColumnType], node: exp.Expr) -> ColumnType:
    if all(one.kind in _INTEGERS for one in known):
        return _plain(max(known, key=lambda one: _INTEGERS[one.kind]).kind)
    if not all(map(_is_exact, known)):
        return _plain("double")
    decimals = [_as_decimal(one) for one in known]
    scale = max(one.scale for one in decimals)
    digits = max(one.precision - one.scale for one in decimals)
    if digits + scale > DECIMAL_DIGITS:
        raise _differ(known, node)
    return _decimal(digits + scale, scale)


def _differ(known: Sequence[ColumnType], node: exp.Expr) -> TypeRefused:
    texts = ", ".join(dict.fromkeys(map(redshift_text, known)))
    return TypeRefused(
        f"{_shown(node)} is made of values that differ in type ({texts}): write the same cast behind each"
    )


def _shown(node: exp.Expr) -> str:
    return _short(node.sql(dialect="redshift", normalize_functions="lower", comments=False))


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


# ---- rules


def _always(kind: ColumnType) -> Rule:
    return lambda node, of: kind


def _boolean(node: exp.Expr, of: TypeOf) -> Given | None:
    return _plain("boolean")


def _literal(node: exp.Literal, of: TypeOf) -> Given | None:
    if node.is_string:
        return Untyped(str(node.this))
    whole, point, places = str(node.this).partition(".")
    if not (whole + places).isdigit():
        return None  # with an exponent
    if not point:
        number = int(whole)
        if number < 2**31:
            return _plain("integer")
        return _plain("bigint") if number < 2**63 else _decimal(DECIMAL_DIGITS, 0)
    digits = len(whole.lstrip("0")) + len(places)
    return _decimal(max(digits, 1), len(places)) if digits <= DECIMAL_DIGITS else None


def _null(node: exp.Expr, of: TypeOf) -> Given | None:
    return Untyped(None)


def _same(node: exp.Expr, of: TypeOf) -> Given | None:
    """That of the one value it is about, where that has one."""
    given = of(node.this)
    return given if isinstance(given, ColumnType) else None


def _first_or_text(node: exp.Expr, of: TypeOf) -> Given | None:
    given = of(node.this)
    if isinstance(given, Untyped):
        return None if given.text is None else _varchar(given.length)
    return given


def _extreme(node: exp.Expr, of: TypeOf) -> Given | None:
    """Min and max; Redshift has none of a boolean."""
    kind = _same(node, of)
    return None if kind is None or isinstance(kind, Untyped) or kind.kind == "boolean" else kind


def _number(node: exp.Expr, of: TypeOf) -> ColumnType | None:
    """The type of the number that a function is given."""
    inner = node.this
    distinct = getattr(inner, "expressions", ()) if inner.key == "distinct" else ()
    kind = of(distinct[0] if distinct else inner)
    return kind if isinstance(kind, ColumnType) and _is_number(kind) else None


def _sum(node: exp.Expr, of: TypeOf) -> Given | None:
    kind = _number(node, of)
    if kind is None:
        return None
    if kind.kind == "bigint":
        raise TypeRefused(
            f"Amazon's pages do not agree on the type of a sum of bigint: write {_shown(node)}::bigint "
            "(an error beyond 19 digits), or ::decimal(38, 0)"
        )
    if kind.kind in _INTEGERS:
        return _plain("bigint")
    return _decimal(DECIMAL_DIGITS, kind.scale) if kind.kind == "decimal" else _plain("double")


def _avg(node: exp.Expr, of: TypeOf) -> Given | None:
    kind = _number(node, of)
    if kind is None:
        return None
    if kind.kind in _INTEGERS:
        return _plain("bigint")
    return _decimal(DECIMAL_DIGITS, kind.scale) if kind.kind == "decimal" else _plain("double")


def _percentile(node: exp.Expr, of: TypeOf) -> Given | None:
    """median, and percentile_cont within a group."""
    kind = _number(node, of)
    if kind is None:
        return None
    if not _is_exact(kind):
        return _plain("double")
    raise TypeRefused(
        f"how many places {_shown(node)} has of a {kind.kind} is not documented: cast what it is of to "
        "float8, or write the type behind it, as in …::decimal(18, 2)"
    )


def _within_group(node: exp.WithinGroup, of: TypeOf) -> Given | None:
    from sqlglot import exp

    inner = node.this
    if isinstance(inner, exp.GroupConcat):
        return _varchar(VARCHAR_BYTES)
    if isinstance(inner, exp.PercentileCont):
        ordered = node.expression.expressions[0]
        return _percentile(ordered, of)
    return None


def _window(node: exp.Window, of: TypeOf) -> Given | None:
    return of(node.this)


def _rounded(node: exp.Expr, of: TypeOf) -> Given | None:
    """round, ceil, floor and trunc: of a decimal, how many places are left is not documented."""
    kind = of(node.this)
    if not isinstance(kind, ColumnType):
        return None
    if node.key == "trunc" and kind.kind in ("date", "timestamp"):
        return _plain("date")
    if kind.kind == "decimal":
        raise TypeRefused(
            f"how many places {_shown(node)} keeps of a decimal is not documented: write "
            f"{_shown(node)}::{redshift_text(kind)}, or with the places you want"
        )
    return kind if _is_number(kind) else None


def _negative(node: exp.Expr, of: TypeOf) -> Given | None:
    kind = of(node.this)
    return kind if isinstance(kind, ColumnType) and _is_number(kind) else None


def _arithmetic(node: exp.Binary, of: TypeOf) -> Given | None:
    if _is_interval(node.expression) or (_is_interval(node.this) and node.key == "add"):
        moment = of(node.expression if _is_interval(node.this) else node.this)
        is_moment = isinstance(moment, ColumnType) and moment.kind in ("date", "timestamp")
        return _plain("timestamp") if is_moment else None
    one, two = _beside(of(node.this), of(node.expression))
    if one is None or two is None:
        return None
    if not (_is_number(one) and _is_number(two)):
        return _of_days(node, one, two)
    return _of_numbers(node, one, two)


def _of_numbers(node: exp.Binary, one: ColumnType, two: ColumnType) -> ColumnType | None:
    if one.kind in _INTEGERS and two.kind in _INTEGERS:
        return _plain(max((one, two), key=lambda kind: _INTEGERS[kind.kind]).kind)
    if node.key == "mod":
        return None
    if not (_is_exact(one) and _is_exact(two)):
        return _plain("real" if one.kind == two.kind == "real" else "double")
    return _decimals(node, _as_decimal(one), _as_decimal(two))


def _beside(one: Given | None, two: Given | None) -> tuple[ColumnType | None, ColumnType | None]:
    """The types of two operands: a text in quotes beside a number is read as that number's type."""
    if isinstance(one, Untyped):
        one = two if isinstance(two, ColumnType) and _is_number(two) else None
    if isinstance(two, Untyped):
        two = one if isinstance(one, ColumnType) and _is_number(one) else None
    return one, two if isinstance(two, ColumnType) else None


def _is_interval(node: exp.Expr) -> bool:
    return node.unnest().key == "interval"


def _of_days(node: exp.Expr, one: ColumnType, two: ColumnType) -> ColumnType | None:
    """A day less a day, and a day and a number of days."""
    from sqlglot import exp

    if one.kind == "date" and isinstance(node, (exp.Add, exp.Sub)):
        if two.kind in _INTEGERS:
            return _plain("date")
        if two.kind == "date" and isinstance(node, exp.Sub):
            return _plain("integer")
    return None


def _decimals(node: exp.Expr, one: ColumnType, two: ColumnType) -> ColumnType:
    """By the table of `Computations with numeric values` in the developer guide."""
    from sqlglot import exp

    if isinstance(node, exp.Div):
        scale = max(4, one.scale + two.precision - two.scale + 1)
        precision = one.precision - one.scale + two.scale + scale
        if precision > DECIMAL_DIGITS:
            scale, precision = max(DECIMAL_DIGITS + scale - precision, 4), DECIMAL_DIGITS
        return _decimal(precision, scale)
    if isinstance(node, exp.Mul):
        scale, precision, most = one.scale + two.scale, one.precision + two.precision + 1, 38
    else:
        scale, most = max(one.scale, two.scale), 4
        precision = max(one.precision - one.scale, two.precision - two.scale) + 1 + scale
    if precision > DECIMAL_DIGITS and scale > most:
        raise TypeRefused(
            f"{_shown(node)} would need more than {DECIMAL_DIGITS} digits, and what Redshift makes of that "
            "is not documented: cast its parts to fewer, as in …::decimal(18, 2)"
        )
    return _decimal(min(precision, DECIMAL_DIGITS), scale)


# ---- choices


def _coalesce(node: exp.Expr, of: TypeOf) -> Given | None:
    return unified([of(part) for part in (node.this, *node.expressions)], node)


def _case(node: exp.Case, of: TypeOf) -> Given | None:
    values = [arm.args["true"] for arm in node.args["ifs"]]
    default = node.args.get("default")
    return unified([of(part) for part in (*values, *([default] if default else []))], node)


def _nvl2(node: exp.Nvl2, of: TypeOf) -> Given | None:
    return unified([of(node.args["true"]), of(node.args["false"])], node)


def _decode(node: exp.DecodeCase, of: TypeOf) -> Given | None:
    rest = node.expressions[1:]
    values = [*rest[1::2], *([rest[-1]] if len(rest) % 2 else [])]
    return unified([of(part) for part in values], node)


def _isnull(node: exp.Anonymous, of: TypeOf) -> Given | None:
    return unified([of(part) for part in node.expressions], node)


# ---- texts


def _text(given: Given | None) -> int | None:
    """The bytes of a value that is a text; None: it is none."""
    if isinstance(given, Untyped):
        return None if given.text is None else given.length
    return given.length if given is not None and given.kind == "varchar" else None


def _same_text(node: exp.Expr, of: TypeOf) -> Given | None:
    length = _text(of(node.this))
    return None if length is None else _varchar(length)


def _written(given: Given | None) -> int | None:
    """The most bytes of a value written as text, as `||` writes it; None: not known."""
    if isinstance(given, Untyped):
        return given.length
    if given is None:
        return None
    if given.kind == "decimal":
        return given.precision + 2 + (given.scale == given.precision)
    return given.length if given.kind == "varchar" else _SIZES.get(given.kind)


def _joined(node: exp.DPipe, of: TypeOf) -> Given | None:
    return _joined_parts([*node.flatten()], of)


def _concat(node: exp.Concat, of: TypeOf) -> Given | None:
    return _joined_parts(node.expressions, of)


def _joined_parts(parts: Sequence[exp.Expr], of: TypeOf) -> Given | None:
    lengths = [_written(of(part)) for part in parts]
    known = [length for length in lengths if length is not None]
    return _varchar(sum(known)) if len(known) == len(lengths) else None


def _end(node: exp.Left | exp.Right, of: TypeOf) -> Given | None:
    length = _text(of(node.this))
    if length is None:
        return None
    size = node.expression
    number = int(size.this) if size.key == "literal" and size.is_int else None
    return _varchar(length if number is None else min(length, 4 * number))


def _replaced(node: exp.Replace, of: TypeOf) -> Given | None:
    one, new = _text(of(node.this)), _text(of(node.args["replacement"]))
    sought = of(node.expression)
    if one is None or new is None or not isinstance(sought, Untyped) or not sought.text:
        return None
    return _varchar(one * max(1, -(-new // sought.length)))


def _replaced_pattern(node: exp.RegexpReplace, of: TypeOf) -> Given | None:
    one, new = _text(of(node.this)), node.args.get("replacement")
    put = Untyped("") if new is None else of(new)
    if one is None or not isinstance(put, Untyped):
        return None
    return _varchar(VARCHAR_BYTES if put.text else one)


def _padded(node: exp.Pad, of: TypeOf) -> Given | None:
    size = node.expression
    if _text(of(node.this)) is None or size.key != "literal" or not size.is_int:
        return None
    return _varchar(4 * int(size.this))


def _digest(node: exp.Expr, of: TypeOf) -> Given | None:
    if _text(of(node.this)) is None:
        return None
    if node.key != "sha2":
        return _varchar({"md5": 32}.get(node.key, 40))
    bits = node.args.get("length")
    known = {"256": 64, "0": 64, "224": 56, "384": 96, "512": 128}
    return _varchar(known[bits.name]) if bits is not None and bits.name in known else None


def _formatted(node: exp.Expr, of: TypeOf) -> Given | None:
    """to_char of a day or moment."""
    kind = of(node.this)
    moment = isinstance(kind, ColumnType) and kind.kind in ("date", "timestamp")
    return _varchar(256) if moment else None


# ---- days and moments


def _part(node: exp.Extract, of: TypeOf) -> Given | None:
    if node.meta.get(DATE_PART):
        raise TypeRefused(
            "date_part gives a double precision in Redshift, extract an integer: write the cast behind it, "
            "as in …::integer"
        )
    return _plain("bigint" if node.name.lower() == "epoch" else "integer")


DATE_PART = "may_be_date_part"
"""Meta of an `extract` node in a file that says `date_part`: sqlglot reads both as one."""
_ANONYMOUS: dict[str, Rule] = {
    "isnull": _isnull,
    "octet_length": _always(_plain("integer")),
    "fnv_hash": _always(_plain("bigint")),
    "json_array_length": _always(_plain("integer")),
    "is_valid_json": _always(_plain("boolean")),
    "ratio_to_report": _always(_plain("double")),
}


@cache
def _rules() -> tuple[dict[type, Rule], tuple[tuple[type, Rule], ...]]:
    """The rules by the parser's classes, which are loaded where a select is first typed."""
    from sqlglot import exp

    integer, bigint, double = _plain("integer"), _plain("bigint"), _plain("double")
    boolean, day, moment = _plain("boolean"), _plain("date"), _plain("timestamp")
    rules: dict[type, Rule] = {
        exp.Literal: _literal,
        exp.Null: _null,
        exp.Case: _case,
        exp.Coalesce: _coalesce,
        exp.Nvl2: _nvl2,
        exp.DecodeCase: _decode,
        exp.Nullif: _first_or_text,
        **dict.fromkeys((exp.Greatest, exp.Least), _coalesce),
        **dict.fromkeys((exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod), _arithmetic),
        **dict.fromkeys((exp.Neg, exp.Abs, exp.Sign), _negative),
        exp.Sum: _sum,
        exp.Avg: _avg,
        **dict.fromkeys((exp.Min, exp.Max), _extreme),
        exp.AnyValue: _same,
        exp.Median: _percentile,
        exp.WithinGroup: _within_group,
        exp.Window: _window,
        **dict.fromkeys((exp.IgnoreNulls, exp.RespectNulls), _window),
        **dict.fromkeys((exp.Lag, exp.Lead, exp.NthValue), _first_or_text),
        **dict.fromkeys((exp.FirstValue, exp.LastValue), _first_or_text),
        **dict.fromkeys((exp.Round, exp.Ceil, exp.Floor, exp.Trunc), _rounded),
        **dict.fromkeys((exp.Upper, exp.Lower, exp.Initcap, exp.Reverse), _same_text),
        **dict.fromkeys((exp.Trim, exp.Substring, exp.SplitPart, exp.RegexpExtract), _same_text),
        exp.DPipe: _joined,
        exp.Concat: _concat,
        **dict.fromkeys((exp.Left, exp.Right), _end),
        exp.Replace: _replaced,
        exp.Pad: _padded,
        **dict.fromkeys((exp.MD5, exp.SHA, exp.SHA2), _digest),
        exp.RegexpReplace: _replaced_pattern,
        exp.JSONExtractScalar: _always(_varchar(VARCHAR_BYTES)),
        exp.TimeToStr: _formatted,
        exp.Extract: _part,
    }
    known = {
        bigint: (exp.Count, exp.ApproxDistinct, exp.TsOrDsDiff, exp.FromBase),
        integer: (exp.Length, exp.StrPosition, exp.Ascii, exp.RegexpCount, exp.RegexpInstr),
        double: (exp.Pow, exp.Sqrt, exp.Ln, exp.Exp, exp.Log, exp.Rand, exp.Pi, exp.MonthsBetween),
        boolean: (exp.Boolean, exp.Not, exp.And, exp.Or, exp.LogicalAnd, exp.LogicalOr),
        day: (exp.CurrentDate, exp.LastDay, exp.NextDay, exp.StrToDate),
        moment: (exp.TimestampTrunc, exp.TsOrDsAdd, exp.ConvertTimezone, exp.CurrentTimestamp),
    }
    ranks = {
        bigint: (exp.RowNumber, exp.Rank, exp.DenseRank, exp.Ntile),
        double: (exp.PercentRank, exp.CumeDist),
    }
    spread = (exp.Stddev, exp.StddevPop, exp.StddevSamp, exp.Variance, exp.VariancePop)
    for kind, classes in (*known.items(), *ranks.items(), (double, spread)):
        rules.update(dict.fromkeys(classes, _always(kind)))
    return rules, ((exp.Predicate, _boolean), (exp.RegexpLike, _boolean))
