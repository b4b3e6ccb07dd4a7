"""Casts and choices between values: CAST, TRY_CAST, CASE. How a value is cast: `casts`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from local_redshift.compile import catalogue_forms
from local_redshift.compile.protocol import Compiler, ValueRule, only
from local_redshift.errors import raising
from local_redshift.read.dialect import string
from local_redshift.values import arithmetic
from local_redshift.values.casts import convert, text_length, tried
from local_redshift.values.scope import Scope
from local_redshift.values.subexpressions import bind
from local_redshift.values.types import Type, parse_type, unify, varchar
from local_redshift.values.value import Value, settle, vary

_LABELS = {
    "integer": "int4",
    "bigint": "int8",
    "smallint": "int2",
    "double": "float8",
    "real": "float4",
    "decimal": "numeric",
    "boolean": "bool",
    "char": "bpchar",
}


def _cast(compiler: Compiler, node: Any, scope: Scope) -> Value:
    """A cast; before that, a client's cast of a relation's name: 'mart.sales'::regclass::oid."""
    if catalogue_forms.is_regclass(node):
        return catalogue_forms.regclass(compiler, node)
    only(node, "this", "to")
    target = _target(node.to)
    value = compiler.raw(node.this, scope)
    if target.kind == "varchar" and not node.to.expressions and text_length(value.type) > 256:
        value, target = _unsized(node, settle(value), target)
    named = value.label not in ("?column?", "case") and not _is_typed(node.this)
    named = named and value.literal is None
    label = value.label if named else _LABELS.get(target.kind, target.kind)
    cast = vary(lambda given: compiler.cast(given[0], target), [value])
    return replace(cast, label=label, places=None)


def _is_typed(node: Any) -> bool:
    """Whether it is a literal, with or without casts: the last of them gives the column its name."""
    inner = node.unnest()
    return inner.key == "literal" or (inner.key == "cast" and _is_typed(inner.this))


def _unsized(node: Any, value: Value, target: Type) -> tuple[Value, Type]:
    """What a cast to VARCHAR or TEXT without a length is given, where it may be longer than 256 bytes.

    Of VARCHAR, Amazon says that it has the size of what went in (r_Character_types); of TEXT in an
    expression nothing: up to 256 bytes both readings give the same.
    """
    if str(node.to.this.name) != "TEXT":
        return value, varchar(text_length(value.type))
    words = string(
        "the local Redshift has no rule for a cast to text of more than 256 bytes: whether Amazon "
        "Redshift cuts it is not documented; write varchar(n)"
    )
    failing = f"CAST({raising('0A000', words)} AS VARCHAR)"
    fits = bind(
        [value.sql], lambda t: f"(CASE WHEN strlen({t[0]}) > 256 THEN {failing} ELSE {t[0]} END)"
    )
    return replace(value, sql=fits, type=target, literal=None), target


def _try_cast(compiler: Compiler, node: Any, scope: Scope) -> Value:
    """TRY_CAST of a text: NULL where CAST would fail."""
    only(node, "this", "to", "safe")
    value, target = compiler.value(node.this, scope), parse_type(node.to.sql("redshift"))
    return replace(tried(value, target), label="try_cast")


def _case(compiler: Compiler, node: Any, scope: Scope) -> Value:
    only(node, "this", "ifs", "default")
    subject = compiler.value(node.this, scope) if node.this else None
    tests, values = [], []
    for branch in node.args["ifs"]:
        if subject is None:
            tests.append(compiler.test(branch.this, scope))
        else:
            wanted = compiler.value(branch.this, scope)
            tests.append(arithmetic.comparison("=", subject, wanted).sql)
        values.append(compiler.raw(branch.args["true"], scope))
    default = node.args.get("default")
    if default is not None:
        values.append(compiler.raw(default, scope))

    def make(given: list[Value]) -> Value:
        common = unify((value.type for value in given), "case")
        texts = [convert(value, common) for value in given]
        cases = " ".join(
            f"WHEN {test} THEN {then}" for test, then in zip(tests, texts, strict=False)
        )
        other = f" ELSE {texts[-1]}" if default is not None else ""
        return Value(f"(CASE {cases}{other} END)", common, "case")

    return vary(make, values)


_PLAIN: dict[Any, Type] = {}


def _target(node: Any) -> Type:
    """The type that a cast names; sqlglot takes its time to write one, so plain ones are asked once."""
    plain = not any(value for name, value in node.args.items() if name not in ("this", "nested"))
    if not plain or node.args.get("nested"):
        return parse_type(node.sql("redshift"))
    if node.this not in _PLAIN:
        text = "text" if str(node.this.name) == "TEXT" else node.sql("redshift")
        _PLAIN[node.this] = parse_type(text)
    return _PLAIN[node.this]


VALUES: dict[str, ValueRule] = {"cast": _cast, "trycast": _try_cast, "case": _case}
