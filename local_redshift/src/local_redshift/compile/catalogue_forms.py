"""Forms that clients' questions of the catalogue have, others seldom: `::regclass`, `any (conkey)`.

The rules that meet them ask here first, by name. The views and functions they ask of are
`client_views` and `client_functions`.
"""

from __future__ import annotations

from typing import Any

from local_redshift.compile.protocol import Compiler, ValueRule, only
from local_redshift.errors import RedshiftError, refuse
from local_redshift.read.dialect import DATABASE, folded, string
from local_redshift.read.words import Words
from local_redshift.values import arithmetic
from local_redshift.values.casts import convert
from local_redshift.values.oids import SYSTEM_CATALOGS, oid
from local_redshift.values.scope import Scope
from local_redshift.values.types import BIGINT, BOOLEAN, INTEGER, SHORTS, varchar
from local_redshift.values.value import Value


def asks_catalogue(node: Any) -> bool:
    """Whether a select reads the system's own relations, and nothing else."""
    parts = [node.args.get("from_"), *(node.args.get("joins") or [])]
    tables = [part.this for part in parts if part is not None]
    return bool(tables) and all(
        table.key == "table"
        and (
            str(table.db).lower() in ("pg_catalog", "information_schema")
            or str(table.name).lower().startswith(("pg_", "svv_"))
        )
        for table in tables
    )


def is_true(node: Any, scope: Scope) -> bool:
    """Whether a condition is the `where 1 and …` that sqlalchemy-redshift asks of the catalogue."""
    return scope.of_catalogue and node.key == "literal" and node.this == "1"


# -- comparisons -----------------------------------------------------------------------------------


def equal_rows(compiler: Compiler, left: list[Any], right: list[Any], scope: Scope) -> Value:
    """(a, b) = (c, d)."""
    if len(left) != len(right):
        raise RedshiftError("42601", "unequal number of entries in row expressions")
    pairs = [
        arithmetic.comparison("=", compiler.value(one, scope), compiler.value(two, scope)).sql
        for one, two in zip(left, right, strict=True)
    ]
    return Value(f"({' AND '.join(pairs)})", BOOLEAN)


def is_array(node: Any) -> bool:
    """Whether it is an array that ANY looks into, and no query."""
    return node.unnest().key in ("array", "column")


def equal_any(compiler: Compiler, one: Any, array: Any, scope: Scope) -> Value:
    """A = any (array['r', 'v']), and a = any (conkey)."""
    from sqlglot import exp

    if array.key == "array":
        return compiler.value(exp.In(this=one.copy(), expressions=array.expressions), scope)
    sought, members = compiler.value(one, scope), compiler.value(array, scope)
    if members.type.kind != SHORTS.kind:
        raise refuse(f"any ({members.type})", "give any a query, or an array of the catalogue")
    numbers = f"CAST(string_split(trim({members.sql}, '{{}}'), ',') AS BIGINT[])"
    return Value(f"list_contains({numbers}, {convert(sought, BIGINT)})", BOOLEAN)


def _array(compiler: Compiler, node: Any, scope: Scope) -> Value:
    """ARRAY[1::smallint], as the catalogue's own arrays of columns."""
    values = [compiler.value(item, scope) for item in node.expressions]
    if not values or any(value.type.kind != "smallint" for value in values):
        raise refuse(node.sql("redshift")[:80], "write array(…) for a super")
    members = ", ".join(f"CAST({value.sql} AS VARCHAR)" for value in values)
    return Value(f"('{{' || concat_ws(',', {members}) || '}}')", SHORTS, "array")


def _operator(compiler: Compiler, node: Any, scope: Scope) -> Value:
    """A OPERATOR(pg_catalog.~) 'pattern', as psql asks."""
    from sqlglot import exp

    only(node, "this", "operator", "expression")
    kinds: dict[str, Any] = {"pg_catalog.~": exp.RegexpLike, "pg_catalog.~*": exp.RegexpILike}
    kind = kinds.get(str(node.args["operator"]).replace(" ", ""))
    if kind is None:
        raise refuse(node.sql("redshift")[:80])
    return compiler.raw(kind(this=node.this, expression=node.expression), scope)


# -- the number of a relation ----------------------------------------------------------------------


def is_regclass(node: Any) -> bool:
    """Whether a cast is one to the catalogue's own types, `regclass` or `oid`."""
    return bool(_pseudo(node))


def regclass(compiler: Compiler, node: Any) -> Value:
    """A relation's name cast to its number: 'mart.sales'::regclass::oid."""
    inner, to = node.this.unnest(), _pseudo(node)
    if to == "oid" and _pseudo(inner) == "regclass":
        return _number_of(compiler, inner)
    if to == "regclass" and node.parent.key in ("eq", "neq"):
        return _number_of(compiler, node)
    raise refuse(f"a cast to {to} here", "write 'schema.table'::regclass::oid")


def _pseudo(node: Any) -> str:
    """`regclass` or `oid`, where a node is a cast to one of them; else nothing."""
    to = str(node.to.this).lower().rpartition(".")[2] if node.key == "cast" else ""
    return to if to in ("regclass", "oid") else ""


def _number_of(compiler: Compiler, node: Any) -> Value:
    only(node, "this", "to")
    if node.this.key != "literal" or not node.this.args.get("is_string"):
        raise refuse(f"{node.sql('redshift')[:80]}", "give the relation's name as a literal")
    names, catalog = _names(str(node.this.this)), compiler.context.catalog
    if names[-1] in SYSTEM_CATALOGS and names[:-1] in ([], ["pg_catalog"]):
        return Value(f"CAST({oid(names[-1])} AS INTEGER)", INTEGER, "oid")
    if catalog is None or len(names) > 2:
        raise refuse(f"{node.sql('redshift')[:80]}", "write schema.table, and not in a view")
    relation = catalog.get(names[0] if len(names) == 2 else None, names[-1])
    return Value(f"CAST({oid(str(relation))} AS INTEGER)", INTEGER, "oid")


def _names(text: str) -> list[str]:
    """The parts of a name that stands in a text; the database before them is left out."""
    words = Words(text)
    parts = [words.name()]
    while words.take("."):
        parts.append(words.name())
    words.end()
    parts = [folded(part) for part in parts]
    return parts[1:] if len(parts) == 3 and parts[0] == DATABASE else parts


# -- the search path -------------------------------------------------------------------------------


def is_current_schemas(node: Any) -> bool:
    """Whether a bracket stands behind `current_schemas(…)`, as the JDBC driver asks."""
    return _called(node).key == "anonymous" and str(_called(node).this).lower() == "current_schemas"


def _called(node: Any) -> Any:
    inner = node.this.unnest()
    return inner.expression if inner.key == "dot" else inner


def current_schemas(compiler: Compiler, node: Any) -> Value:
    """(current_schemas(true))[1]."""
    catalog = compiler.context.catalog
    first = [str(one) for one in node.expressions] == ["1"]
    if not first or [str(one).lower() for one in _called(node).expressions] != ["true"]:
        raise refuse(node.sql("redshift")[:80], "ask for (current_schemas(true))[1]")
    if catalog is None:
        raise refuse("current_schemas in what is kept", "ask it in a query of its own")
    has_own = any(schema is None for schema, _ in catalog.relations)
    first_schema = catalog.temporary if has_own else "pg_catalog"
    return Value(string(first_schema), varchar(127), "current_schemas")


VALUES: dict[str, ValueRule] = {"array": _array, "operator": _operator}
