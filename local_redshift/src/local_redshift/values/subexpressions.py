"""Texts that a rule repeats: computed once, so that nesting does not multiply them. No types here."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from local_redshift.errors import raising, refuse

_SHORT = 120  # characters: below, repeating a text costs less than a name
_CHAIN = 8  # operands that stand beside one another
MOST = 2_000_000  # characters of DuckDB text for one expression
# What may stand under a name; any other call could be an aggregate.
_PLAIN = ["CAST", "abs", "sign", "coalesce", "round", "list_transform", "error", "isinf"]
_ROWS = re.compile(rf"\b(SELECT|OVER)\b|\b(?!(?:{'|'.join(_PLAIN)})\()[a-z_]+\(")
_NAME = re.compile(r"\b_v(\d+)\b")


def bind(
    texts: Sequence[str], make: Callable[[Sequence[str]], str], beside: Sequence[str] = ()
) -> str:
    """`make` of the texts. Where one is long, all are computed first and `make` is given their names.

    What `make` writes must use nothing but its arguments: no aggregate and no subquery stands inside.
    `beside` are other texts that it writes.
    """
    if all(len(text) <= _SHORT and "random(" not in text for text in texts):
        return make(texts)
    # A number beyond every one inside: a name never hides another.
    used = max(
        (int(number) for text in (*texts, *beside) for number in _NAME.findall(text)), default=0
    )
    own = f"_v{used + 1}"
    fields = ", ".join(f"'f{place}': {text}" for place, text in enumerate(texts))
    names = [f"{own}.f{place}" for place in range(len(texts))]
    return within(f"list_transform([{{{fields}}}], lambda {own}: {make(names)})[1]")


def shared(
    operands: Sequence[str], texts: Sequence[str], make: Callable[[Sequence[str]], str]
) -> str:
    """`make` of texts that are made of the same operands: the long operands are computed once."""
    long = sorted({text for text in operands if len(text) > _SHORT}, key=len, reverse=True)
    short = list(texts)
    for operand in long:
        short = [text.replace(operand, "x") for text in short]
    if not long or any(_ROWS.search(text) for text in short):
        return bind(texts, make)

    def named(names: Sequence[str]) -> str:
        shortened = list(texts)
        for operand, name in zip(long, names, strict=True):
            shortened = [text.replace(operand, name) for text in shortened]
        return bind(shortened, make)

    return bind(long, named, texts)


def within(sql: str) -> str:
    """`sql`, unless an expression grew beyond what DuckDB reads in reasonable time: refused."""
    if len(sql) > MOST:
        raise refuse(
            f"an expression whose translation has {len(sql):,} characters",
            "compute its parts in subqueries",
        )
    return sql


def balanced(sign: str, texts: Sequence[str]) -> str:
    """A chain of an operator that may be bracketed anyhow, no deeper than the logarithm of its length.

    DuckDB reads no chain of a thousand, and takes time that grows with the cube of its depth.
    """
    if len(texts) <= _CHAIN:
        return f" {sign} ".join(texts)
    middle = len(texts) // 2
    return f"({balanced(sign, texts[:middle])}) {sign} ({balanced(sign, texts[middle:])})"


def finite(sql: str) -> str:
    """A floating point result: what is beyond its range is Redshift's error, not infinity."""
    failing = raising("22003", "'value out of range: overflow'")
    return bind([sql], lambda one: f"(CASE WHEN isinf({one[0]}) THEN {failing} ELSE {one[0]} END)")
