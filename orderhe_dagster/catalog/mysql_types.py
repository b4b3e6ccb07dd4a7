"""Which MySQL and MariaDB types are carried, and as what. Redshift's and DuckDB's names are in `types`.

A type is carried only if every value of it arrives unchanged in Parquet, Redshift and DuckDB, or is
found in MySQL before it leaves (see `mysql_projection`): text and bytes that are too long, decimals of more
than 38 digits. Any other type is refused (`TypeRefused`) with what to do instead.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from orderhe_dagster.catalog.errors import TypeRefused
from orderhe_dagster.catalog.table import ColumnType, Kind

VARCHAR_BYTES = 65535  # the longest varchar of Redshift
BLOB_BYTES = 65535
VARBYTE_BYTES = (
    1_024_000  # of the longer blobs: Redshift would hold more, yet a row of COPY has 4 MB
)
UTF8_BYTES = 4  # of one character, at most
DECIMAL_DIGITS = 38  # of Redshift and of DuckDB
MYSQL_DIGITS = 65
REDSHIFT_SCALE = 37  # digits behind the point

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


def mysql_type(
    name: str, arguments: Sequence[str] = (), *, unsigned: bool = False, declared: str = ""
) -> ColumnType:
    """The carried type of a MySQL type: its name, its arguments (enum values unquoted), its sign."""
    word = " ".join(name.lower().split())
    base = _SYNONYMS.get(word, word)
    if base in _INTEGERS:
        carried = _integer(_INTEGERS[base][unsigned])
    elif base in _PLAIN:
        carried = _PLAIN[base]
    elif base in _WITH_ARGUMENTS:
        carried = _WITH_ARGUMENTS[base](arguments)
    else:
        raise TypeRefused(_REFUSED.get(base, _UNKNOWN))
    return replace(carried, declared=declared or name)


def number(text: str, least: int, most: int) -> int:
    """A length or a number of digits."""
    if not re.fullmatch(r"[0-9]{1,6}", text) or not least <= int(text) <= most:
        raise TypeRefused(f"{text!r} must be a whole number from {least} to {most} here")
    return int(text)


def _integer(kind: Kind) -> ColumnType:
    return ColumnType(kind, precision=20) if kind == "decimal" else ColumnType(kind)


def _decimal(arguments: Sequence[str]) -> ColumnType:
    """Of more than 38 digits, 38 are carried; `mysql_projection` finds the values that need more."""
    precision = number(arguments[0], 0, MYSQL_DIGITS) if arguments else 10
    scale = number(arguments[1], 0, MYSQL_DIGITS) if len(arguments) > 1 else 0
    precision = precision or 10  # decimal(0) is decimal(10)
    if scale > precision:
        raise TypeRefused(
            f"decimal({precision}, {scale}) has more digits behind the point than in all"
        )
    if scale > REDSHIFT_SCALE:
        raise TypeRefused(
            f"decimal({precision}, {scale}) is not carried: Redshift holds {REDSHIFT_SCALE} digits "
            "behind the point; alter the column to hold fewer"
        )
    return ColumnType("decimal", precision=min(precision, DECIMAL_DIGITS), scale=scale)


def _float(arguments: Sequence[str]) -> ColumnType:
    wide = len(arguments) == 1 and number(arguments[0], 0, 53) > 24
    return ColumnType("double" if wide else "real")


def _moment(arguments: Sequence[str]) -> ColumnType:
    fraction = number(arguments[0], 0, 6) if arguments else 0
    return ColumnType("timestamp", fraction=fraction)


def _instant(arguments: Sequence[str]) -> ColumnType:
    return replace(_moment(arguments), instant=True)


def _time(arguments: Sequence[str]) -> ColumnType:
    number(arguments[0] if arguments else "0", 0, 6)
    return ColumnType("varchar", length=17)  # -838:59:59.000000


def _year(arguments: Sequence[str]) -> ColumnType:
    if arguments and number(arguments[0], 1, 4) != 4:
        raise TypeRefused("a year of two digits names no century; alter the column to year")
    return ColumnType("smallint")


def _bit(arguments: Sequence[str]) -> ColumnType:
    bits = number(arguments[0], 1, 64) if arguments else 1
    if bits == 1:
        return ColumnType("boolean")
    return _integer("bigint" if bits < 64 else "decimal")


def _char(arguments: Sequence[str]) -> ColumnType:
    return _text(number(arguments[0], 0, 255) if arguments else 1)


def _varchar(arguments: Sequence[str]) -> ColumnType:
    return _text(number(arguments[0], 0, 65535) if arguments else 1)


def _enum(arguments: Sequence[str]) -> ColumnType:
    _check_values(arguments)
    return _text(max(map(len, arguments)))


def _set(arguments: Sequence[str]) -> ColumnType:
    _check_values(arguments)
    return _text(len(",".join(arguments)))


def _text(length: int) -> ColumnType:
    return ColumnType("varchar", length=min(max(length, 1) * UTF8_BYTES, VARCHAR_BYTES))


def _check_values(values: Sequence[str]) -> None:
    """The values of an enum or set: MySQL ends a value before its trailing blanks."""
    if not values:
        raise TypeRefused("its values are missing: write enum('a', 'b')")
    seen = [value.rstrip(" ") for value in values]
    twice = next((v for n, v in enumerate(seen) if v in seen[:n]), None)
    if twice is not None:
        raise TypeRefused(f"value {twice!r} stands twice")


def _binary(arguments: Sequence[str]) -> ColumnType:
    return ColumnType("varbyte", length=max(number(arguments[0], 0, 255), 1) if arguments else 1)


def _varbinary(arguments: Sequence[str]) -> ColumnType:
    return ColumnType("varbyte", length=max(number(arguments[0], 0, 65535), 1) if arguments else 1)


_PLAIN: dict[str, ColumnType] = {  # whatever stands in their brackets
    "serial": ColumnType("decimal", precision=20),  # bigint unsigned not null auto_increment unique
    "double": ColumnType("double"),
    "date": ColumnType("date"),
    "tinytext": _text(255),
    **dict.fromkeys(
        ("text", "mediumtext", "longtext", "json"), ColumnType("varchar", length=VARCHAR_BYTES)
    ),
    "tinyblob": ColumnType("varbyte", length=255),
    "blob": ColumnType("varbyte", length=BLOB_BYTES),
    "mediumblob": ColumnType("varbyte", length=VARBYTE_BYTES),
    "longblob": ColumnType("varbyte", length=VARBYTE_BYTES),
    "uuid": ColumnType("varchar", length=36),  # these three are MariaDB's
    "inet4": ColumnType("varchar", length=15),
    "inet6": ColumnType("varchar", length=39),
}
_WITH_ARGUMENTS: dict[str, Callable[[Sequence[str]], ColumnType]] = {
    "decimal": _decimal,
    "float": _float,
    "datetime": _moment,
    "timestamp": _instant,
    "time": _time,
    "year": _year,
    "bit": _bit,
    "char": _char,
    "varchar": _varchar,
    "enum": _enum,
    "set": _set,
    "binary": _binary,
    "varbinary": _varbinary,
}
_SPATIAL = (
    *("geometry", "point", "linestring", "polygon", "multipoint", "multilinestring"),
    *("multipolygon", "geometrycollection", "geomcollection"),
)
_REFUSED = {
    "vector": "a vector is not carried; leave the column out of the contract",
    "xmltype": "XML is not carried; keep it in a longtext column, or leave it out of the contract",
    **dict.fromkeys(
        _SPATIAL,
        "a spatial type is not carried; leave the column out of the contract, "
        "or keep its text (ST_AsText) in a varchar column of the shop",
    ),
}
_UNKNOWN = (
    "it is no type of MySQL or MariaDB that is carried; declare one of the integer, decimal, date, "
    "datetime, char, varchar, text, enum or json types, or leave the column out of the contract"
)


def names() -> frozenset[str]:
    """Every name of a type that this page knows, refused ones included."""
    tables = (_INTEGERS, _SYNONYMS, _PLAIN, _WITH_ARGUMENTS, _REFUSED)
    return frozenset(name for table in tables for name in table)


def base_of(kind: ColumnType) -> str:
    """The name of a contract's type without its arguments, synonyms resolved: `tinyint` of `int1(4)`."""
    words = re.match(r"[a-z0-9 ]+", kind.declared.lower())
    text = words.group().split() if words else []
    for length in (2, 1):
        name = " ".join(text[:length])
        if name in _SYNONYMS:
            return _SYNONYMS[name]
    return text[0] if text else ""


def arguments_of(kind: ColumnType) -> tuple[int, ...]:
    """The numbers in the brackets of a contract's type: (10, 2) of `decimal(10, 2)`."""
    match = re.search(r"\(([\d\s,]+)\)", kind.declared)
    return tuple(int(text) for text in match[1].split(",")) if match else ()


def integer_range(kind: ColumnType) -> tuple[int, int] | None:
    """The least and the greatest value an integer column of the contract takes; None for others."""
    words = kind.declared.lower()
    match = re.match(r"\w+", words)
    base = _SYNONYMS.get(match[0], match[0]) if match else ""
    if base == "serial":
        return 0, 2**64 - 1
    if base == "year":
        return 0, 2155
    if base == "bit" and kind.kind != "boolean":
        return 0, 2 ** arguments_of(kind)[0] - 1
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
