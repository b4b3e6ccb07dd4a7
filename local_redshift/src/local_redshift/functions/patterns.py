"""Functions and operators with patterns: those that POSIX and DuckDB's RE2 match alike, no others."""

from __future__ import annotations

import re
from collections.abc import Sequence

from local_redshift.errors import refuse
from local_redshift.read.dialect import string
from local_redshift.values.arguments import Arguments, Context, Rule, constant, text
from local_redshift.values.arithmetic import grown
from local_redshift.values.subexpressions import bind
from local_redshift.values.types import INTEGER, MAX_VARCHAR
from local_redshift.values.value import Value

_SIGN = r"[\w \-,;:/@#%&=_'\"<>~!]"
_ESCAPED = r"\\[-.*+?|(){}\[\]^$/dDwWsS\\]"
_ATOM = rf"(?:{_SIGN}|{_ESCAPED}|\[\^?(?:\[:[a-z]+:\]|[^\[\]\\])+\]|\.)"
_PLAIN = re.compile(rf"\^?(?:{_ATOM})*(?:{_ATOM}(?:[*+?]|\{{\d+(?:,\d*)?\}}))?(?:{_ATOM})*\$?")
_TESTED = re.compile(rf"(?:\^|\$|\(|\)|\||{_ATOM}(?:[*+?]|\{{\d+(?:,\d*)?\}})?)+")
_EMPTY = re.compile(rf"\^?(?:{_ATOM}(?:[*?]|\{{0(?:,\d*)?\}}))?\$?")
_WITHOUT_GROUPS = re.compile(rf"({_ATOM}|[*+?^$]|\{{\d+(?:,\d*)?\}})|[()]")


def pattern(value: Value, name: str, *, test: bool = False) -> str:
    """A POSIX pattern that means the same to DuckDB: with one repetition at most, or only tested."""
    words = constant(value, name)
    if not (_TESTED if test else _PLAIN).fullmatch(words):
        raise refuse(
            f"the pattern {words!r} in {name}",
            "use plain characters, classes in brackets and one repetition",
        )
    return string(words)


def _some(words: str, name: str) -> None:
    """Refuse a pattern that can match nothing, where matches are counted or replaced."""
    if _EMPTY.fullmatch(words):
        raise refuse(
            f"the pattern {words!r} in {name}, which matches an empty text", "write + in place of *"
        )


def similar(value: Value, escape: str) -> str:
    """The pattern of SIMILAR TO as one that the whole text must match."""
    words, regex, at = constant(value, "similar to"), "", 0
    while at < len(words):
        sign = words[at]
        if sign == escape:
            if at + 1 == len(words):
                raise refuse(f"an escape at the end of {words!r}", "write what it escapes")
            regex, at = regex + re.escape(words[at + 1]), at + 2
            continue
        if sign == "[":
            brackets = re.compile(r"\[\^?(?:\[:[a-z]+:\]|[^\[\]\\])+\]").match(words, at)
            if brackets is None:
                raise refuse(f"the brackets in {words!r}", "write plain characters in them")
            regex, at = regex + brackets[0], brackets.end()
            continue
        regex += {"%": ".*", "_": "."}.get(sign) or (
            sign if sign in "|*+?{}()," or sign.isalnum() else re.escape(sign)
        )
        at += 1
    try:
        re.compile(regex)
    except re.error:
        raise refuse(f"the pattern {words!r} in similar to", "balance its signs") from None
    if re.search(r"\(\?|[*+?}][*+?{]", regex):
        raise refuse(f"the pattern {words!r} in similar to", "use one repetition of a thing")
    return string(regex)


def _options(given: Arguments, place: int, name: str) -> str:
    """RE2's flags for the parameters c and i."""
    words = constant(given[place], name) if len(given) > place else ""
    if not set(words) <= {"c", "i"} or len(words) > 1:
        raise refuse(f"the parameters {words!r} of {name}", "use 'c' or 'i'")
    return "si" if words == "i" else "s"


def _number(given: Arguments, place: int, name: str) -> int:
    """A literal number, 1 where it is not given."""
    words = constant(given[place], name) if len(given) > place else "1"
    if not words.isdigit() or int(words) < 1:
        raise refuse(f"{name} with {words} for a position or occurrence", "count from 1")
    return int(words)


def _from(value: Value, given: Arguments, place: int, name: str) -> str:
    """The text from the position on at which the search begins."""
    start = _number(given, place, name)
    if start > 1 and constant(given[1], name).startswith("^"):
        raise refuse(f"{name} with ^ from another position than 1", "use substring")
    return value.sql if start == 1 else f"substring({value.sql}, {start})"


def _replace(name: str, given: Arguments, context: Context) -> Value:
    value, put = text(given[0], name), constant(given[2], name) if len(given) > 2 else ""
    if _number(given, 3, name) != 1:
        raise refuse(f"{name} from another position than 1", "use substring")
    grouped = "$" in put
    _some(_WITHOUT_GROUPS.sub(lambda match: match[1] or "", constant(given[1], name)), name)
    regex = _with_groups(given[1], put, name) if grouped else pattern(given[1], name)
    if "\\" in put:
        raise refuse(f"{name} with a backslash in what is put", "write $1 for a group")
    put = re.sub(r"\$([0-9])", r"\\\1", put)
    replaced = f"regexp_replace({value.sql}, {regex}, {string(put)}, 'g{_options(given, 4, name)}')"
    return grown(replaced, MAX_VARCHAR + 1) if put else Value(replaced, value.type)


def _with_groups(value: Value, put: str, name: str) -> str:
    """A pattern with groups around parts of it: what each of them holds must leave no choice."""
    words = constant(value, name)
    bare = _WITHOUT_GROUPS.sub(lambda match: match[1] or "", words)
    groups = len(re.findall(r"(?<!\\)\(", words))
    wanted = [int(number) for number in re.findall(r"\$(.?)", put) if number.isdigit()]
    sound = _PLAIN.fullmatch(bare) and not re.search(r"\)[*+?{]|\(\)|\(\?|\[[^\]]*[()]", words)
    if not sound or len(wanted) < put.count("$") or not all(1 <= n <= groups for n in wanted):
        raise refuse(
            f"the pattern {words!r} with {put!r} in {name}",
            "put groups around plain parts, one repetition in all, and name them $1 to $9",
        )
    return string(words)


def _substr(name: str, given: Arguments, context: Context) -> Value:
    value, regex = text(given[0], name), pattern(given[1], name)
    flags, which = string(_options(given, 4, name)), _number(given, 3, name)
    inside = _from(value, given, 2, name)
    if len(given) <= 3:
        return Value(f"regexp_extract({inside}, {regex}, 0, {flags})", value.type)

    _some(constant(given[1], name), name)

    def make(texts: Sequence[str]) -> str:
        one, whole = texts
        every = f"regexp_extract_all({one}, {regex}, 0, {flags})"
        return (
            f"(CASE WHEN {whole} IS NULL OR {which} > length({whole}) THEN NULL "
            f"ELSE coalesce({every}[{which}], '') END)"
        )

    return Value(bind([inside, value.sql], make), value.type)


def _count(name: str, given: Arguments, context: Context) -> Value:
    value, regex = text(given[0], name), pattern(given[1], name)
    _some(constant(given[1], name), name)
    inside, flags = _from(value, given, 2, name), string(_options(given, 3, name))
    return Value(
        f"CAST(len(regexp_extract_all({inside}, {regex}, 0, {flags})) AS INTEGER)", INTEGER
    )


def _instr(name: str, given: Arguments, context: Context) -> Value:
    """Where the first match begins: after the shortest text that a match can follow."""
    value = text(given[0], name)
    for place, what in ((2, "position"), (3, "occurrence")):
        if _number(given, place, name) != 1:
            raise refuse(f"{name} with a {what} other than 1", "use substring")
    if len(given) > 4 and constant(given[4], name) != "0":
        raise refuse(f"{name} of the end of a match", "add the length of regexp_substr")
    regex, flags = pattern(given[1], name, test=True), string(_options(given, 5, name))

    def make(texts: Sequence[str]) -> str:
        before = string(f"^(.*?)(?:{regex[1:-1].replace(2 * chr(39), chr(39))})")
        length = f"length(regexp_extract({texts[0]}, {before}, 1, {flags}))"
        matched = f"regexp_matches({texts[0]}, {regex}, {flags})"
        return (
            f"(CASE WHEN {texts[0]} IS NULL THEN NULL WHEN {matched} THEN {length} + 1 ELSE 0 END)"
        )

    return Value(f"CAST({bind([value.sql], make)} AS INTEGER)", INTEGER)


RULES: dict[str, tuple[int, int, Rule]] = {
    "regexp_replace": (2, 5, _replace),
    "regexp_substr": (2, 5, _substr),
    "regexp_count": (2, 4, _count),
    "regexp_instr": (2, 6, _instr),
}
