"""Which types are carried, and their names in MySQL, Redshift and DuckDB. No SQL is parsed here.

A type is carried only if Parquet, Redshift's COPY and DuckDB hold every value of it unchanged;
any other is refused (`TypeRefused`) with what to do instead. Nothing is narrowed in silence.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from orderhe_dagster.catalog.errors import TypeRefused
from orderhe_dagster.catalog.table import ColumnType, Kind

VARCHAR_BYTES = 65535  # the longest varchar of Redshift
VARBYTE_BYTES = 65535  # MySQL's BLOB; Redshift would hold more
UTF8_BYTES = 4  # of one character, at most
DECIMAL_DIGITS = 38  # of Redshift and of DuckDB
MYSQL_SCALE, REDSHIFT_SCALE = 30, 37  # digits behind the point

_INTEGERS: dict[str, tuple[Kind, Kind]] = {  # signed, unsigned
    "tinyint": ("smallint", "smallint"),
    "smallint": ("smallint", "integer"),
    "mediumint": ("integer", "integer"),
    "int": ("integer", "bigint"),
    "bigint": ("bigint", "decimal"),
}
_BITS = {"tinyint": 8, "smallint": 16, "mediumint": 24, "int": 32, "bigint": 64}
_SYNONYMS = {
    "integer": "int",
    "int1": "tinyint",
    "int2": "smallint",
    "int3": "mediumint",
    "middleint": "mediumint",
    "int4": "int",
    "int8": "bigint",
    "bool": "tinyint",
    "boolean": "tinyint",
    "numeric": "decimal",
    "dec": "decimal",
    "fixed": "decimal",
    "double precision": "double",
    "real": "double",
    "float8": "double",
    "float4": "float",
    "character": "char",
    "nchar": "char",
    "national char": "char",
    "national character": "char",
    "nvarchar": "varchar",
    "national varchar": "varchar",
    "char varying": "varchar",
    "character varying": "varchar",
    "varcharacter": "varchar",
    "long": "mediumtext",
    "long varchar": "mediumtext",
}
_LONG_REMEDY = (
    "Redshift's varchar ends at 65,535 bytes. Declare it text if no value is longer, "
    "or leave the column out of the contract"
)
_REFUSED = {
    "mediumtext": _LONG_REMEDY,
    "longtext": _LONG_REMEDY,
    "mediumblob": "it may exceed 65,535 bytes. Declare it blob if no value is longer, "
    "or leave the column out of the contract",
    "longblob": "it may exceed 65,535 bytes. Declare it blob if no value is longer, "
    "or leave the column out of the contract",
}
_SPATIAL = frozenset(
    (
        "geometry",
        "point",
        "linestring",
        "polygon",
        "multipoint",
        "multilinestring",
        "multipolygon",
        "geometrycollection",
        "geomcollection",
    )
)


def mysql_type(
    name: str, arguments: Sequence[str] = (), *, unsigned: bool = False, declared: str = ""
) -> ColumnType:
    """The carried type of a MySQL type: its name, its arguments (enum values unquoted), its sign."""
    word = " ".join(name.lower().split())
    base = _SYNONYMS.get(word, word)
    found = _mysql_type(base, arguments, unsigned)
    return replace(found, declared=declared or name)


def _mysql_type(  # noqa: PLR0911 (a table of rules, one a type)
    base: str, arguments: Sequence[str], unsigned: bool
) -> ColumnType:
    if base in _INTEGERS:
        kind = _INTEGERS[base][unsigned]
        return ColumnType(kind, precision=20) if kind == "decimal" else ColumnType(kind)
    if base == "serial":  # bigint unsigned not null auto_increment unique
        return ColumnType("decimal", precision=20)
    if base == "decimal":
        found = _decimal(arguments, (10, 0), "declare decimal(38, s) if the values fit")
        if found.scale > MYSQL_SCALE:
            raise TypeRefused(f"MySQL holds no more than {MYSQL_SCALE} digits behind the point")
        return found
    if base == "float":
        wide = len(arguments) == 1 and _number(arguments[0], 0, 53) > 24
        return ColumnType("double" if wide else "real")
    if base == "double":
        return ColumnType("double")
    if base in ("date", "datetime", "timestamp"):
        if base == "date":
            return ColumnType("date")
        fraction = _number(arguments[0], 0, 6) if arguments else 0
        return ColumnType("timestamp", fraction=fraction, instant=base == "timestamp")
    if base == "year":
        return ColumnType("smallint")
    if base == "bit":
        if arguments and _number(arguments[0], 1, 64) != 1:
            raise TypeRefused(
                "bit(n) with n > 1 has no like in Redshift; declare an unsigned integer type, "
                "or leave the column out of the contract"
            )
        return ColumnType("boolean")
    return _mysql_text(base, arguments)


_LONGEST = {"char": 255, "binary": 255, "varchar": 65535, "varbinary": 65535}  # in MySQL


def _number(text: str, least: int, most: int) -> int:
    """A length or a number of digits."""
    if not re.fullmatch(r"[0-9]{1,6}", text) or not least <= int(text) <= most:
        raise TypeRefused(f"{text!r} must be a whole number from {least} to {most} here")
    return int(text)


def _check_values(values: Sequence[str]) -> None:
    """The values of an enum or set: MySQL ends a value before its trailing blanks."""
    if not values:
        raise TypeRefused("its values are missing: write enum('a', 'b')")
    seen = [value.rstrip(" ") for value in values]
    twice = next((v for n, v in enumerate(seen) if v in seen[:n]), None)
    if twice is not None:
        raise TypeRefused(f"value {twice!r} stands twice")


def _mysql_text(  # noqa: PLR0911 (a table of rules, one a type)
    base: str, arguments: Sequence[str]
) -> ColumnType:
    length = _number(arguments[0], 0, _LONGEST[base]) if base in _LONGEST and arguments else 1
    if base in ("char", "varchar"):
        return ColumnType("varchar", length=min(max(length, 1) * UTF8_BYTES, VARCHAR_BYTES))
    if base in ("text", "json"):
        return ColumnType("varchar", length=VARCHAR_BYTES)
    if base == "tinytext":
        return ColumnType("varchar", length=255 * UTF8_BYTES)
    if base == "time":  # -838:59:59.000000
        _number(arguments[0] if arguments else "0", 0, 6)
        return ColumnType("varchar", length=17)
    if base in ("enum", "set"):
        _check_values(arguments)
        longest = max(map(len, arguments)) if base == "enum" else len(",".join(arguments))
        return ColumnType("varchar", length=min(max(longest, 1) * UTF8_BYTES, VARCHAR_BYTES))
    if base in ("binary", "varbinary"):
        return ColumnType("varbyte", length=max(length, 1))
    if base in ("tinyblob", "blob"):
        return ColumnType("varbyte", length=255 if base == "tinyblob" else VARBYTE_BYTES)
    if base in _REFUSED:
        raise TypeRefused(_REFUSED[base])
    if base in _SPATIAL:
        raise TypeRefused(
            "a spatial type is not carried; leave the column out of the contract, "
            "or keep its text (ST_AsText) in a varchar column of the shop"
        )
    raise TypeRefused(
        "it is no type of MySQL 8 that is carried; declare one of the integer, decimal, date, "
        "datetime, char, varchar, text, enum or json types, or leave the column out of the contract"
    )


KIND_NAMES = (
    "boolean, smallint, integer, bigint, decimal(p, s), real, double precision, date, timestamp, "
    "varchar(n), varbyte(n)"
)
_REDSHIFT: dict[str, Kind] = {
    "boolean": "boolean",
    "bool": "boolean",
    "smallint": "smallint",
    "int2": "smallint",
    "int": "integer",
    "integer": "integer",
    "int4": "integer",
    "bigint": "bigint",
    "int8": "bigint",
    "decimal": "decimal",
    "numeric": "decimal",
    "real": "real",
    "float4": "real",
    "double": "double",
    "double precision": "double",
    "float": "double",
    "float8": "double",
    "date": "date",
    "timestamp": "timestamp",
    "timestamp without time zone": "timestamp",
    "varchar": "varchar",
    "character varying": "varchar",
    "nvarchar": "varchar",
    "text": "varchar",
    "varbyte": "varbyte",
    "varbinary": "varbyte",
    "binary varying": "varbyte",
}
_REDSHIFT_REFUSED = {
    "char": "char pads with blanks; write varchar(n)",
    "nchar": "char pads with blanks; write varchar(n)",
    "bpchar": "char pads with blanks; write varchar(n)",
    "tinyint": "Redshift has no tinyint; write smallint",
    "timestamptz": "write convert_timezone('UTC', …)::timestamp: the column is then in UTC",
    "time": "write it as text, to_char(…)::varchar(17)",
    "timetz": "write it as text, to_char(…)::varchar(17)",
    "super": "write json_serialize(…)::varchar(65535)",
    "interval": "write a number with its unit in the column's name, e.g. …_seconds",
}


def redshift_type(name: str, arguments: Sequence[str] = ()) -> ColumnType:
    """The carried type of a Redshift cast: `redshift_type("varchar", ["20"])`; lengths are bytes."""
    word = " ".join(name.lower().split())
    declared = f"{word}({', '.join(arguments)})".lower() if arguments else word
    kind = _REDSHIFT.get(word)
    if kind is None:
        remedy = _REDSHIFT_REFUSED.get(word, f"write one of {KIND_NAMES}")
        raise TypeRefused(f"{declared} is not carried: {remedy}")
    if kind == "decimal":
        if not arguments:
            raise TypeRefused(
                "decimal without digits is decimal(18, 0) in Redshift, which drops the fraction; "
                "write decimal(precision, scale)"
            )
        found = _decimal(arguments, (18, 0), "write decimal(38, s)")
        if found.scale > REDSHIFT_SCALE:
            raise TypeRefused(
                f"{declared} is no type of Redshift: {REDSHIFT_SCALE} digits at most behind the point"
            )
        return replace(found, declared=declared)
    if kind in ("varchar", "varbyte"):
        wide = not arguments or arguments[0].lower() == "max"
        length = VARCHAR_BYTES if wide else _length(arguments[0], declared)
        return ColumnType(kind, length=length, declared=declared)
    if kind == "timestamp" and arguments:
        raise TypeRefused(f"{declared} is no type of Redshift; write timestamp")
    return ColumnType(kind, declared=declared)


def _length(text: str, declared: str) -> int:
    if not re.fullmatch(r"[0-9]{1,6}", text) or not 0 < int(text) <= VARCHAR_BYTES:
        raise TypeRefused(f"{declared} is not carried: its length is 1 to {VARCHAR_BYTES} bytes")
    return int(text)


def _decimal(arguments: Sequence[str], default: tuple[int, int], remedy: str) -> ColumnType:
    precision = _number(arguments[0], 0, 999) if arguments else default[0]
    scale = _number(arguments[1], 0, 999) if len(arguments) > 1 else 0
    if not 0 < precision <= DECIMAL_DIGITS or not 0 <= scale <= precision:
        raise TypeRefused(
            f"decimal({precision}, {scale}) is not carried: Redshift holds {DECIMAL_DIGITS} digits, "
            f"and no more behind the point than in all; {remedy}"
        )
    return ColumnType("decimal", precision=precision, scale=scale)


def redshift_text(kind: ColumnType) -> str:
    """The type as Redshift DDL writes it, e.g. `varchar(20)`."""
    if kind.kind == "decimal":
        return f"decimal({kind.precision}, {kind.scale})"
    if kind.kind in ("varchar", "varbyte"):
        return f"{kind.kind}({kind.length})"
    return "double precision" if kind.kind == "double" else kind.kind


def duckdb_text(kind: ColumnType) -> str:
    """The type as DuckDB writes it, e.g. `varchar`: DuckDB's text has no length."""
    if kind.kind == "decimal":
        return f"decimal({kind.precision}, {kind.scale})"
    return {"varbyte": "blob", "real": "float"}.get(kind.kind, kind.kind)


def integer_range(kind: ColumnType) -> tuple[int, int] | None:
    """The least and the greatest value an integer column of the contract takes; None for others."""
    words = kind.declared.lower()
    match = re.match(r"\w+", words)
    base = _SYNONYMS.get(match[0], match[0]) if match else ""
    if base == "serial":
        return 0, 2**64 - 1
    if base == "year":
        return 0, 2155
    if base not in _BITS:
        return None
    bits = _BITS[base]
    if re.search(r"\b(unsigned|zerofill)\b", words):
        return 0, 2**bits - 1
    return -(2 ** (bits - 1)), 2 ** (bits - 1) - 1


def characters(kind: ColumnType) -> int | None:
    """How many characters a char or varchar column of the contract takes; None for others."""
    match = re.fullmatch(r"([a-z ]+?)\s*(?:\(\s*(\d+)\s*\))?", kind.declared.lower())
    if match is None or _SYNONYMS.get(match[1], match[1]) not in ("char", "varchar"):
        return None
    return int(match[2] or 1)
