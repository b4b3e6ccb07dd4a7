"""Operators that compute: AND, OR, NOT, arithmetic, bits, `||`. Those that compare: `comparisons`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from local_redshift.compile.protocol import Compiler, ValueRule, both, only
from local_redshift.errors import refuse
from local_redshift.functions import registry as functions
from local_redshift.values import arithmetic
from local_redshift.values.scope import Scope
from local_redshift.values.types import BOOLEAN
from local_redshift.values.value import Value, vary

_SIGNS = {"add": "+", "sub": "-", "mul": "*", "div": "/", "mod": "%"}
_ARMS = 64  # of an OR, that DuckDB looks at together


def _arithmetic(compiler: Compiler, node: Any, scope: Scope) -> Value:
    """A chain of arithmetic, without recursion on its length."""
    links = []
    while node.key in _SIGNS:
        only(node, "this", "expression", "typed", "safe")
        links.append(node)
        node = node.this
    first = compiler.raw(node, scope)
    others = [(_SIGNS[one.key], compiler.raw(one.expression, scope)) for one in reversed(links)]
    return arithmetic.chained(first, others)


def _and(compiler: Compiler, node: Any, scope: Scope) -> Value:
    """A chain of AND, without recursion on its length."""
    parts = [compiler.test(part, scope) for part in node.flatten()]
    return Value(f"({' AND '.join(parts)})", BOOLEAN)


def _or(compiler: Compiler, node: Any, scope: Scope) -> Value:
    """A chain of OR. Of a long one, DuckDB compares each arm with every other: it is given groups."""
    parts = [compiler.test(part, scope) for part in node.flatten()]
    if len(parts) > _ARMS:
        groups = (parts[start : start + _ARMS] for start in range(0, len(parts), _ARMS))
        parts = [f"coalesce({' OR '.join(group)}, NULL)" for group in groups]
    return Value(f"({' OR '.join(parts)})", BOOLEAN)


def _not(compiler: Compiler, node: Any, scope: Scope) -> Value:
    return Value(f"(NOT {compiler.test(node.this, scope)})", BOOLEAN)


def _negative(compiler: Compiler, node: Any, scope: Scope) -> Value:
    return vary(lambda given: arithmetic.negative(*given), [compiler.raw(node.this, scope)])


def _power(compiler: Compiler, node: Any, scope: Scope) -> Value:
    """`a ^ b`, of floats as in Amazon's example."""
    only(node, "this", "expression")
    sides = list(both(compiler, node, scope))
    if not any(value.type.kind in ("real", "double") for value in sides):
        raise refuse(f"{sides[0].type} ^ {sides[1].type}", "write power(a, b)")
    return replace(functions.call("power", sides, compiler.context), label="?column?")


def _joined(compiler: Compiler, node: Any, scope: Scope) -> Value:
    """A chain of ||, without recursion on its length."""
    return arithmetic.joined(*(compiler.value(part, scope) for part in node.flatten()))


def _bitwise_and(compiler: Compiler, node: Any, scope: Scope) -> Value:
    return arithmetic.bitwise("&", *both(compiler, node, scope))


def _bitwise_or(compiler: Compiler, node: Any, scope: Scope) -> Value:
    return arithmetic.bitwise("|", *both(compiler, node, scope))


VALUES: dict[str, ValueRule] = {
    **dict.fromkeys(_SIGNS, _arithmetic),
    "and": _and,
    "or": _or,
    "not": _not,
    "neg": _negative,
    "pow": _power,
    "dpipe": _joined,
    "bitwiseand": _bitwise_and,
    "bitwiseor": _bitwise_or,
}
