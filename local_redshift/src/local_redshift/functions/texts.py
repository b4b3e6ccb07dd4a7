"""The functions of text. Those with patterns: `patterns`; those of bytes: `binaries`."""

from __future__ import annotations

from dataclasses import replace

from local_redshift.errors import raising, refuse
from local_redshift.functions import binaries, patterns
from local_redshift.functions.udfs import udf
from local_redshift.read.dialect import string
from local_redshift.values import arithmetic
from local_redshift.values.arguments import (
    Arguments,
    Context,
    Rule,
    constant,
    text,
    whole,
)
from local_redshift.values.subexpressions import bind
from local_redshift.values.types import BIGINT, INTEGER, MAX_VARCHAR, varchar
from local_redshift.values.value import Value


def _same_text(name: str, given: Arguments, context: Context) -> Value:
    value = text(given[0], name)
    type_ = value.type
    if given[0].type.kind == "char":  # a char again or a varchar: Amazon's pages say both
        type_ = replace(type_, doubt="blanks")
    return Value(f"{name}({value.sql})", type_, hexadecimal=value.hexadecimal)


def _reverse(name: str, given: Arguments, context: Context) -> Value:
    """By code points: DuckDB's own keeps an accent on the letter before it."""
    value = text(given[0], name)
    reversed_ = f"array_to_string(list_reverse(regexp_extract_all({value.sql}, '(?s).')), '')"
    return Value(reversed_, value.type, hexadecimal=value.hexadecimal)


def _length(name: str, given: Arguments, context: Context) -> Value:
    if binaries.is_binary(given[0]):
        return binaries.length(given[0])
    function = "strlen" if name == "octet_length" else "length"
    return Value(f"CAST({function}({text(given[0], name).sql}) AS INTEGER)", INTEGER)


def _end(name: str, given: Arguments, context: Context) -> Value:
    value, size = text(given[0], name), whole(given[1], name)
    if given[1].literal is None:
        failing = raising("22023", string(f"{name}: negative length"))
        size = bind([size], lambda t: f"(CASE WHEN {t[0]} < 0 THEN {failing} ELSE {t[0]} END)")
        bytes_ = value.type.length
    elif int(given[1].literal) < 0:
        raise refuse(f"{name} with a negative length", "give a length of 0 or more")
    else:
        bytes_ = min(value.type.length, 4 * int(given[1].literal))
    return Value(f"{name}({value.sql}, {size})", varchar(bytes_), hexadecimal=value.hexadecimal)


def substring(given: Arguments) -> Value:
    """SUBSTRING(text, start[, length]): a start before the text takes from the length."""
    if binaries.is_binary(given[0]):
        return binaries.part(given)
    value, start = text(given[0], "substring"), whole(given[1], "substring")
    if len(given) == 2:
        rest = bind(
            [value.sql, start],
            lambda t: (
                f"(CASE WHEN {t[1]} IS NULL THEN NULL ELSE "
                f"substring({t[0]}, greatest({t[1]}, 1)) END)"
            ),
        )
        return Value(rest, value.type, hexadecimal=value.hexadecimal)
    size = whole(given[2], "substring")
    if given[2].literal is not None and int(given[2].literal) < 0:
        raise refuse("substring with a negative length", "give a length of 0 or more")
    failing = raising("22011", "'negative substring length not allowed'")
    part = bind(
        [value.sql, start, size],
        lambda t: (
            f"(CASE WHEN {t[1]} IS NULL OR {t[2]} IS NULL THEN NULL "
            f"WHEN {t[2]} < 0 THEN {failing} ELSE substring({t[0]}, greatest({t[1]}, 1), "
            f"greatest({t[2]} + least({t[1]} - 1, 0), 0)) END)"
        ),
    )
    return Value(part, value.type, hexadecimal=value.hexadecimal)


def trim(side: str, given: Arguments) -> Value:
    """TRIM, LTRIM, RTRIM and BTRIM: of blanks, or of any of the characters given."""
    value = text(given[0], side)
    taken = text(given[1], side).sql if len(given) == 2 else "' '"
    return Value(f"{side}({value.sql}, {taken})", value.type)


def _replace(name: str, given: Arguments, context: Context) -> Value:
    one, two, three = (text(value, name) for value in given)
    if not given[1].literal:
        raise refuse(f"{name} of a computed or empty text", "give the text to replace as a literal")
    grows = max(1, -(-three.type.length // max(two.type.length, 1)))
    replaced = f"{name}({one.sql}, {two.sql}, {three.sql})"
    return arithmetic.grown(replaced, one.type.length * grows)


def _concat(name: str, given: Arguments, context: Context) -> Value:
    return arithmetic.joined(given[0], given[1])


def _position(name: str, given: Arguments, context: Context) -> Value:
    inside, sought = (given[1], given[0]) if name == "charindex" else (given[0], given[1])
    if sought.literal == "":
        raise refuse(f"{name} of an empty text", "its place is not documented")
    place = f"strpos({text(inside, name).sql}, {text(sought, name).sql})"
    return Value(f"CAST({place} AS INTEGER)", INTEGER)


def _split_part(name: str, given: Arguments, context: Context) -> Value:
    value, mark = text(given[0], name), text(given[1], name)
    if not constant(given[1], name) or int(constant(given[2], name)) < 1:
        raise refuse("split_part with an empty delimiter or a part before 1", "count parts from 1")
    return Value(f"split_part({value.sql}, {mark.sql}, {given[2].literal})", value.type)


def _pad(name: str, given: Arguments, context: Context) -> Value:
    value, size = text(given[0], name), constant(given[1], name)
    fill = text(given[2], name) if len(given) == 3 else Value("' '", varchar(1), literal=" ")
    if fill.literal == "" or not size.lstrip("-").isdigit():
        raise refuse(f"{name} with an empty filler or a computed length", "give a filler")
    # A negative length gives an empty text, as documented; beyond the longest text none is made.
    most = min(max(int(size), 0), MAX_VARCHAR + 1)
    return arithmetic.grown(f"{name}({value.sql}, {most}, {fill.sql})", 4 * most)


def _repeat(name: str, given: Arguments, context: Context) -> Value:
    value, times_ = text(given[0], name), constant(given[1], name)
    if not times_.isdigit():
        raise refuse(f"{name} of a negative count", "count from 0")
    count = min(int(times_), MAX_VARCHAR + 1)
    repeated = f"repeat({value.sql}, {count})"
    if value.type.length * count > MAX_VARCHAR:  # not repeated at all where it would be too long
        repeated = bind(
            [value.sql],
            lambda t: (
                f"(CASE WHEN strlen({t[0]}) * {count} > {MAX_VARCHAR} "
                f"THEN {arithmetic.TOO_LONG} ELSE repeat({t[0]}, {count}) END)"
            ),
        )
    return Value(repeated, varchar(value.type.length * count))


def _translate(name: str, given: Arguments, context: Context) -> Value:
    one, two, three = (text(value, name) for value in given)
    translated = f"translate({one.sql}, {two.sql}, {three.sql})"
    return arithmetic.grown(translated, 4 * one.type.length)


def _digest(name: str, given: Arguments, context: Context) -> Value:
    value = text(given[0], name)
    if name == "sha2" and (bits := constant(given[1], name)) not in ("256", "0"):
        if bits not in ("224", "384", "512"):
            raise refuse(f"sha2 of {bits} bits", "use 0, 224, 256, 384 or 512")
        return Value(
            udf(context.uses, "sha2", value.sql, bits), varchar(int(bits) // 4), hexadecimal=True
        )
    function, length = {"md5": ("md5", 32), "sha2": ("sha256", 64)}.get(name, ("sha1", 40))
    return Value(f"{function}({value.sql})", varchar(length), hexadecimal=True)


def _strtol(name: str, given: Arguments, context: Context) -> Value:
    base = constant(given[1], name)
    if not base.isdigit() or not 2 <= int(base) <= 36:
        raise refuse(f"{name} of base {base}", "use a base from 2 to 36")
    value = text(given[0], name)
    if base == "16" and value.hexadecimal and value.type.length >= 1:
        return Value(f"CAST(('0x' || {value.sql}) AS BIGINT)", BIGINT)
    return Value(udf(context.uses, "strtol", value.sql, base), BIGINT)


def _initcap(name: str, given: Arguments, context: Context) -> Value:
    """Words are what stands between signs that are neither letters nor digits."""
    value = text(given[0], name)
    words = f"regexp_extract_all({value.sql}, '[\\p{{L}}\\p{{N}}]+|[^\\p{{L}}\\p{{N}}]+')"
    capitalized = "upper(substring(_w, 1, 1)) || lower(substring(_w, 2))"
    sql = f"array_to_string(list_transform({words}, lambda _w: {capitalized}), '')"
    return Value(sql, value.type)


def _checksum(name: str, given: Arguments, context: Context) -> Value:
    return Value(udf(context.uses, "crc32", text(given[0], name).sql), varchar(8), hexadecimal=True)


def _fnv_hash(name: str, given: Arguments, context: Context) -> Value:
    """FNV-1a of the bytes of a value: 2, 4 or 8 of an integer."""
    value = given[0]
    sizes = {"smallint": 2, "integer": 4, "bigint": 8}
    size = sizes.get(value.type.kind, 0)
    sql = f"CAST({value.sql} AS VARCHAR)" if size else text(value, name).sql
    seed = whole(given[1], name) if len(given) == 2 else "CAST(-3750763034362895579 AS BIGINT)"
    failing = raising(
        "0A000",
        "'the local Redshift has no rule for fnv_hash of NULL, as its value is not documented; "
        "use nvl(…)'",
    )
    hash_ = bind(
        [sql, seed],
        lambda t: (
            f"(CASE WHEN {t[0]} IS NULL OR {t[1]} IS NULL THEN {failing} "
            f"ELSE {udf(context.uses, 'fnv_hash', t[0], str(size), t[1])} END)"
        ),
    )
    return Value(hash_, BIGINT)


def _quote_literal(name: str, given: Arguments, context: Context) -> Value:
    value = text(given[0], name)
    doubled = (
        f"replace(replace({value.sql}, '\\', '\\\\'), {string(chr(39))}, {string(2 * chr(39))})"
    )
    mark = string(chr(39))
    return arithmetic.grown(f"({mark} || {doubled} || {mark})", 2 * value.type.length + 2)


def _ascii(name: str, given: Arguments, context: Context) -> Value:
    return Value(f"ascii({text(given[0], name).sql})", INTEGER)


def _chr(name: str, given: Arguments, context: Context) -> Value:
    code = int(constant(given[0], name))
    if not 1 <= code <= 127:
        raise refuse("chr beyond 127", "write the character itself")
    return Value(f"chr({code})", varchar(1), literal=chr(code))


RULES: dict[str, tuple[int, int, Rule]] = {
    **dict.fromkeys(("lower", "upper"), (1, 1, _same_text)),
    "reverse": (1, 1, _reverse),
    **dict.fromkeys(
        ("len", "length", "textlen", "char_length", "character_length", "octet_length"),
        (1, 1, _length),
    ),
    **dict.fromkeys(("left", "right"), (2, 2, _end)),
    **{
        name: (2, 3, lambda name, given, context: substring(given))
        for name in ("substr", "substring")
    },
    "btrim": (1, 2, lambda name, given, context: trim("trim", given)),
    **{name: (1, 2, lambda name, given, context: trim(name, given)) for name in ("ltrim", "rtrim")},
    "replace": (3, 3, _replace),
    "concat": (2, 2, _concat),
    **dict.fromkeys(("strpos", "charindex"), (2, 2, _position)),
    "split_part": (3, 3, _split_part),
    **dict.fromkeys(("lpad", "rpad"), (2, 3, _pad)),
    **dict.fromkeys(("repeat", "replicate"), (2, 2, _repeat)),
    "translate": (3, 3, _translate),
    **dict.fromkeys(("md5", "sha1", "sha", "func_sha1"), (1, 1, _digest)),
    "sha2": (2, 2, _digest),
    "strtol": (2, 2, _strtol),
    "ascii": (1, 1, _ascii),
    "chr": (1, 1, _chr),
    "initcap": (1, 1, _initcap),
    "crc32": (1, 1, _checksum),
    "fnv_hash": (1, 2, _fnv_hash),
    "quote_literal": (1, 1, _quote_literal),
    **patterns.RULES,
    **binaries.RULES,
}
