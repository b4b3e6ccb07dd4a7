"""Redshift's types: their names, their DuckDB carriers, and which type two of them make. No SQL trees."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from local_redshift.errors import RedshiftError, refuse

MAX_VARCHAR, MAX_CHAR = 65535, 4096
INTEGERS = {"smallint": 5, "integer": 10, "bigint": 19}  # decimal digits of each
FLOATS = ("real", "double")
TIMES = ("date", "timestamp", "timestamptz")


@dataclass(frozen=True)
class Type:
    """A Redshift type. `length` is in bytes; kind `unknown` is a bare string literal or NULL.

    `doubt` is what its values have on Redshift that is not certain: the `scale` of a decimal, its
    `precision`; that a column is an untyped `literal` or `null`, which nothing is compared with; the
    `blanks` at the end of a text that may be a char; that it runs on the `leader` node alone.
    """

    kind: str
    precision: int = 0
    scale: int = 0
    length: int = 0
    doubt: str = field(default="", compare=False)

    def __str__(self) -> str:
        if self.kind == "decimal":
            return f"decimal({self.precision},{self.scale})"
        if self.kind in ("varchar", "char", "varbyte"):
            return f"{self.kind}({self.length})"
        return self.kind

    @property
    def carrier(self) -> str:
        """The DuckDB type that holds it."""
        if self.kind == "decimal":
            return f"DECIMAL({self.precision},{self.scale})"
        return _CARRIERS[self.kind]

    @property
    def is_integer(self) -> bool:
        """Smallint, integer or bigint."""
        return self.kind in INTEGERS

    @property
    def is_exact(self) -> bool:
        """An integer or a decimal."""
        return self.kind in INTEGERS or self.kind == "decimal"

    @property
    def is_number(self) -> bool:
        """Any number, exact or floating."""
        return self.is_exact or self.kind in FLOATS


_CARRIERS = {
    "boolean": "BOOLEAN",
    "smallint": "SMALLINT",
    "integer": "INTEGER",
    "bigint": "BIGINT",
    "real": "FLOAT",
    "double": "DOUBLE",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
    "timestamptz": "TIMESTAMP WITH TIME ZONE",
    "time": "TIME",
    "varchar": "VARCHAR",
    "char": "VARCHAR",  # without the blanks at its end: they come back in what a query gives
    "varbyte": "BLOB",
    "unknown": "VARCHAR",
    "interval": "INTERVAL",
    "super": "VARCHAR",  # as JSON without blanks
    "smallint[]": "VARCHAR",  # as {1,2}
    "aclitem[]": "VARCHAR",
}

BOOLEAN, SMALLINT, INTEGER, BIGINT = (
    Type(kind) for kind in ("boolean", "smallint", "integer", "bigint")
)
REAL, DOUBLE, DATE, TIMESTAMP, TIMESTAMPTZ, TIME, UNKNOWN, INTERVAL, SUPER = (
    Type(kind)
    for kind in (
        "real",
        "double",
        "date",
        "timestamp",
        "timestamptz",
        "time",
        "unknown",
        "interval",
        "super",
    )
)
SHORTS, RIGHTS = Type("smallint[]"), Type("aclitem[]")
"""The arrays of PostgreSQL's catalogue: no table has them, and nothing is compared with them."""


def varchar(length: int) -> Type:
    """Varchar of so many bytes, never more than the largest there is."""
    return Type("varchar", length=min(max(length, 1), MAX_VARCHAR))


def decimal(precision: int, scale: int) -> Type:
    """Decimal(precision, scale)."""
    return Type("decimal", precision, scale)


_NAMES = {
    "smallint": SMALLINT, "int2": SMALLINT,
    "integer": INTEGER, "int": INTEGER, "int4": INTEGER,
    "bigint": BIGINT, "int8": BIGINT,
    "real": REAL, "float4": REAL,
    "double precision": DOUBLE, "double": DOUBLE, "float8": DOUBLE, "float": DOUBLE,
    "boolean": BOOLEAN, "bool": BOOLEAN,
    "date": DATE,
    "timestamp": TIMESTAMP, "timestamp without time zone": TIMESTAMP,
    "timestamptz": TIMESTAMPTZ, "timestamp with time zone": TIMESTAMPTZ,
    "time": TIME, "time without time zone": TIME,
    "super": SUPER,
}  # fmt: skip
_CHARS = ("char", "character", "nchar", "bpchar")
_TEXTS = ("varchar", "character varying", "nvarchar", "text")
_UNSUPPORTED_TEXT = """
    abstime aclitem anyarray anyelement bigserial bit box bytea cidr circle cstring daterange hstore
    inet int2vector int4range int8range json jsonb line lseg macaddr money name numrange oid
    oidvector path point polygon record refcursor regclass regoper regproc regtype reltime serial
    smallserial smgr tid tsquery tsrange tsvector tstzrange txid_snapshot uuid varbit xml
"""
UNSUPPORTED = frozenset(_UNSUPPORTED_TEXT.split())
"""PostgreSQL's types that Amazon's page c_unsupported-postgresql-datatypes rules out in tables."""
_SHAPE = re.compile(r"\s*([a-z][a-z0-9_ ]*?)\s*(?:\(\s*([\w ,]+?)\s*\))?\s*$")


def parse_type(text: str) -> Type:
    """The type that a Redshift type name means; refused where it is not carried."""
    shape = _SHAPE.match(" ".join(text.lower().split()))
    if not shape:
        raise RedshiftError("42601", f'syntax error: "{text}" is not a type')
    name = shape[1]
    sizes = [size.strip() for size in shape[2].split(",")] if shape[2] else []
    if name == "text" and sizes:
        raise RedshiftError("42601", f"syntax error: {text}: write varchar(n), text has no length")
    if name in _TEXTS:
        return Type("varchar", length=_length(sizes, text, 256))
    if name in ("varbyte", "varbinary", "binary varying"):
        return Type("varbyte", length=_length(sizes, text, 64000))
    if name in ("decimal", "numeric"):
        return _decimal(sizes, text)
    if name in _NAMES and not sizes:
        return _NAMES[name]
    if name in _CHARS:
        return Type("char", length=_length(sizes, text, 256 if name == "bpchar" else 1))
    raise refuse(f"the type {text}", f"use one of {', '.join(sorted(_NAMES))}, decimal, varchar")


def _length(sizes: list[str], text: str, default: int) -> int:
    if not sizes:
        return default
    name = text.lower().partition("(")[0].strip()
    largest = MAX_CHAR if name in _CHARS else MAX_VARCHAR
    largest = 1_024_000 if "b" in name and name != "bpchar" else largest
    length = largest if sizes == ["max"] else int(sizes[0]) if sizes[0].isdigit() else 0
    if len(sizes) > 1 or not 1 <= length <= largest:
        raise RedshiftError("22023", f"length for type {text} must be between 1 and {largest}")
    return length


def _decimal(sizes: list[str], text: str) -> Type:
    if not all(size.isdigit() for size in sizes) or len(sizes) > 2:
        raise RedshiftError("22023", f"invalid precision or scale in {text}")
    precision = int(sizes[0]) if sizes else 18
    scale = int(sizes[1]) if len(sizes) == 2 else 0
    if not 1 <= precision <= 38 or scale > min(precision, 37):
        raise RedshiftError(
            "22023", f"DECIMAL precision must be 1 to 38 and hold the scale: {text}"
        )
    return Type("decimal", precision, scale)


def from_carrier(carrier: str) -> Type:
    """The Redshift type of a DuckDB column that says nothing more of itself."""
    if carrier == "VARCHAR":
        return varchar(MAX_VARCHAR)
    if carrier == "BLOB":
        return Type("varbyte", length=64000)
    if sizes := re.fullmatch(r"DECIMAL\((\d+),(\d+)\)", carrier):
        return decimal(int(sizes[1]), int(sizes[2]))
    for kind, known in _CARRIERS.items():
        if known == carrier and kind not in ("unknown", "interval", "super"):
            return Type(kind)
    raise refuse(f"a column of DuckDB type {carrier}", "make the table through the local Redshift")


def as_decimal(type_: Type) -> Type:
    """An exact number's type as decimal: integers have scale 0 and all their digits."""
    return decimal(INTEGERS[type_.kind], 0) if type_.is_integer else type_


def doubted(result: Type, *given: Type) -> Type:
    """`result` with the doubts that its operands have about digits."""
    if result.kind != "decimal":
        return result
    doubts = {type_.doubt for type_ in given if type_.kind == "decimal"}
    of_digits = ("exponent", "scale", "precision")
    return replace(result, doubt=next((d for d in of_digits if d in doubts), ""))


def certain(type_: Type, use: str) -> None:
    """Refuse a use that shows digits or blanks which Redshift may not have."""
    if type_.doubt == "blanks":
        raise refuse(
            f"{use} a text that was a char, which may have its blanks", "cast it to varchar(n)"
        )
    if type_.doubt in ("scale", "precision"):
        raise refuse(
            f"{use} a decimal whose {type_.doubt} Amazon Redshift does not document (of round, "
            "trunc, ceil, floor, or a sum of bigint)",
            "cast it to decimal(p,s) or bigint first",
        )


def ordered(type_: Type, use: str) -> None:
    """Refuse a use that compares values of a type whose order and equality are not those of its text."""
    if type_.kind == "super":
        raise refuse(f"{use} a super", "cast the member that you mean: value.key::integer")


def typed(type_: Type, use: str) -> None:
    """Refuse a use of an untyped column, as Redshift finds no conversion from "unknown"; and a super's."""
    ordered(type_, use)
    if type_.doubt in ("literal", "null"):
        raise refuse(f"{use} a column that is an untyped {type_.doubt}", "cast it where it is made")


def unify(types: Iterable[Type], where: str) -> Type:
    """The one type that values of these types have together, as in CASE, COALESCE, IN and UNION."""
    given = list(types)
    return doubted(_unified(given, where), *given)


def _unified(given: list[Type], where: str) -> Type:
    known = [type_ for type_ in given if type_.kind != "unknown"]
    if not known:
        return varchar(max((type_.length for type_ in given), default=1))
    kinds = {type_.kind for type_ in known}
    if kinds == {"varchar"}:
        doubt = "blanks" if any(type_.doubt == "blanks" for type_ in known) else ""
        return replace(varchar(max(type_.length for type_ in given)), doubt=doubt)
    if "char" in kinds and len({type_.length for type_ in given if type_.length}) > 1:
        raise refuse(
            f"{where} of {_list(known)}", "cast them to one type: which blanks stay is not said"
        )
    if len(kinds) == 1 and "decimal" not in kinds:
        return known[0]
    if all(type_.is_number for type_ in known):
        return _unified_numbers(known, where)
    if kinds == {"date", "timestamp"}:
        return TIMESTAMP
    if kinds <= set(TIMES):
        raise refuse(f"{where} of {_list(known)}", "cast them to one type: the zone matters")
    raise refuse(f"{where} of {_list(known)}", "cast them to one type")


def _unified_numbers(numbers: list[Type], where: str) -> Type:
    """Integers make the larger of them, exact numbers one that holds each, any other a float."""
    if all(type_.is_integer for type_ in numbers):
        return max(numbers, key=lambda type_: INTEGERS[type_.kind])
    if not all(type_.is_exact for type_ in numbers):
        return DOUBLE
    decimals = [as_decimal(type_) for type_ in numbers]
    scale = max(type_.scale for type_ in decimals)
    digits = max(type_.precision - type_.scale for type_ in decimals)
    if digits + scale > 38:
        raise refuse(f"{where} of {_list(numbers)} (more than 38 digits)", "cast the operands")
    return decimal(digits + scale, scale)


def _list(types: Iterable[Type]) -> str:
    return " and ".join(dict.fromkeys(str(type_) for type_ in types))
