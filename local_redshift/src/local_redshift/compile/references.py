"""Names in expressions: columns, and the members of a super. What they can mean: `scope`."""

from __future__ import annotations

from typing import Any

from local_redshift.compile import catalogue_forms
from local_redshift.compile.protocol import Compiler, ValueRule, only
from local_redshift.errors import RedshiftError, refuse
from local_redshift.functions import json_texts
from local_redshift.functions import registry as functions
from local_redshift.read.dialect import name
from local_redshift.values.scope import Scope
from local_redshift.values.value import Value


def _column(compiler: Compiler, node: Any, scope: Scope) -> Value:
    only(node, "this", "table", "db")
    table, schema = node.args.get("table"), node.args.get("db")
    if table is None:
        return _bare(compiler, node, scope)
    within = str(schema.name).lower() if schema else None
    try:
        return scope.column(str(node.name).lower(), str(table.name).lower(), within)
    except RedshiftError as error:
        if error.code not in ("42P01", "42703"):
            raise
        return _members(compiler, node, scope, error)


_OF_ACCOUNT = ("current_aws_account", "current_namespace")


def _bare(compiler: Compiler, node: Any, scope: Scope) -> Value:
    """A column by its name alone; before that USER, which is a reserved word."""
    word = str(node.name).lower()
    if word == "user" and not node.this.args.get("quoted"):
        return functions.call("current_user", [], compiler.context)
    try:
        return scope.column(name(node.this), None)
    except RedshiftError as error:
        if error.code == "42703" and word in _OF_ACCOUNT:
            raise refuse(word, "there is no account here") from None
        raise


def _members(compiler: Compiler, node: Any, scope: Scope, missing: RedshiftError) -> Value:
    """`column.key` and `column.key.key` of a super, which read like a table's column."""
    names = [str(part.name).lower() for part in node.parts]
    try:
        value, rest = scope.column(names[1], names[0]), names[2:]
    except RedshiftError:
        try:
            value, rest = scope.column(names[0]), names[1:]
        except RedshiftError:
            raise missing from None
    if value.type.kind != "super":
        raise missing
    for key in rest:
        value = json_texts.step(value, key, compiler.uses)
    return value


def _member(compiler: Compiler, node: Any, scope: Scope) -> Value:
    """`value.key` of a super; after a bracket, as `a.b` alone is read as a column."""
    value = _super(compiler, node, scope)
    if node.expression.key != "identifier":
        raise refuse(f"{node.sql('redshift')[:80]}", "only a super has members")
    return json_texts.step(value, str(node.expression.name).lower(), compiler.uses)


def _element(compiler: Compiler, node: Any, scope: Scope) -> Value:
    """An element of a super; before that, a client's `(current_schemas(true))[1]`."""
    if catalogue_forms.is_current_schemas(node):
        return catalogue_forms.current_schemas(compiler, node)
    only(node, "this", "expressions")
    value, places = _super(compiler, node, scope), node.expressions
    if len(places) != 1 or not str(places[0].name).isdigit():
        raise refuse(f"{node.sql('redshift')[:80]}", "write a super and a literal place")
    return json_texts.element(value, int(places[0].name), compiler.uses)


def _super(compiler: Compiler, node: Any, scope: Scope) -> Value:
    """What a step starts from: a column, or a step in one, as Amazon's examples have it."""
    if node.this.key in ("column", "dot", "bracket"):
        value = compiler.raw(node.this, scope)
        if value.type.kind == "super":
            return value
    raise refuse(f"{node.sql('redshift')[:80]}", "only a column of super has members")


VALUES: dict[str, ValueRule] = {"column": _column, "dot": _member, "bracket": _element}
