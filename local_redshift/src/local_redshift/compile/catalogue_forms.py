"""Forms that clients' questions of the catalogue have, others seldom: `::regclass`, `any (conkey)`.

The views and functions they ask of are `client_views` and `client_functions`.
"""

from __future__ import annotations

from typing import Any

from local_redshift.compile.calls import Calls
from local_redshift.compile.operators import only
from local_redshift.errors import RedshiftError, refuse
from local_redshift.read.dialect import DATABASE, folded, string
from local_redshift.read.words import Words
from local_redshift.values import arithmetic
from local_redshift.values.casts import convert
from local_redshift.values.oids import SYSTEM_CATALOGS, oid
from local_redshift.values.scope import Scope
from local_redshift.values.types import BIGINT, BOOLEAN, INTEGER, SHORTS, varchar
from local_redshift.values.value import Value


class ClientForms(Calls):
    """Turns them into DuckDB text; what they have no answer for is refused."""

    def raw(self, node: Any, scope: Scope) -> Value:
        """An expression; here come rows that are compared, and members of arrays."""
        left, right = node.this, node.args.get("expression")
        if node.key == "eq" and left.key == getattr(right, "key", "") == "tuple":
            return self._rows(left.expressions, right.expressions, scope)
        if node.key == "eq" and getattr(right, "key", "") == "any":
            inner = right.this.unnest()
            if inner.key == "array":
                return self._listed(left, inner, scope)
            if inner.key == "column":
                return self._member(left, inner, scope)
        return super().raw(node, scope)

    def test(self, node: Any, scope: Scope) -> str:
        """A condition; `where 1 and …`, as sqlalchemy-redshift asks of the catalogue, is true."""
        if scope.of_catalogue and node.key == "literal" and node.this == "1":
            return "true"
        return super().test(node, scope)

    def _rows(self, left: list[Any], right: list[Any], scope: Scope) -> Value:
        """(a, b) = (c, d)."""
        if len(left) != len(right):
            raise RedshiftError("42601", "unequal number of entries in row expressions")
        pairs = [
            arithmetic.comparison("=", self.value(one, scope), self.value(two, scope)).sql
            for one, two in zip(left, right, strict=True)
        ]
        return Value(f"({' AND '.join(pairs)})", BOOLEAN)

    def _listed(self, one: Any, array: Any, scope: Scope) -> Value:
        """A = any (array['r', 'v'])."""
        from sqlglot import exp

        return self.value(exp.In(this=one.copy(), expressions=array.expressions), scope)

    def _member(self, one: Any, array: Any, scope: Scope) -> Value:
        """A = any (conkey)."""
        given, found = self.value(one, scope), self.value(array, scope)
        if found.type.kind != SHORTS.kind:
            raise refuse(f"any ({found.type})", "give any a query, or an array of the catalogue")
        members = f"CAST(string_split(trim({found.sql}, '{{}}'), ',') AS BIGINT[])"
        return Value(f"list_contains({members}, {convert(given, BIGINT)})", BOOLEAN)

    def _on_array(self, node: Any, scope: Scope) -> Value:
        """ARRAY[1::smallint], as the catalogue's own arrays of columns."""
        values = [self.value(item, scope) for item in node.expressions]
        if not values or any(value.type.kind != "smallint" for value in values):
            raise refuse(node.sql("redshift")[:80], "write array(…) for a super")
        members = ", ".join(f"CAST({value.sql} AS VARCHAR)" for value in values)
        return Value(f"('{{' || concat_ws(',', {members}) || '}}')", SHORTS, "array")

    def _on_operator(self, node: Any, scope: Scope) -> Value:
        """A OPERATOR(pg_catalog.~) 'pattern', as psql asks."""
        from sqlglot import exp

        only(node, "this", "operator", "expression")
        kinds = {"pg_catalog.~": exp.RegexpLike, "pg_catalog.~*": exp.RegexpILike}
        kind = kinds.get(str(node.args["operator"]).replace(" ", ""))
        if kind is None:
            raise refuse(node.sql("redshift")[:80])
        return self.raw(kind(this=node.this, expression=node.expression), scope)

    def _on_cast(self, node: Any, scope: Scope) -> Value:
        """A cast; of a relation's name to its number: 'mart.sales'::regclass::oid."""
        inner, to = node.this.unnest(), _pseudo(node)
        if to == "oid" and _pseudo(inner) == "regclass":
            return self._regclass(inner)
        if to == "regclass" and node.parent.key in ("eq", "neq"):
            return self._regclass(node)
        if to:
            raise refuse(f"a cast to {to} here", "write 'schema.table'::regclass::oid")
        return super()._on_cast(node, scope)

    def _regclass(self, node: Any) -> Value:
        only(node, "this", "to")
        if node.this.key != "literal" or not node.this.args.get("is_string"):
            raise refuse(f"{node.sql('redshift')[:80]}", "give the relation's name as a literal")
        names = _names(str(node.this.this))
        if names[-1] in SYSTEM_CATALOGS and names[:-1] in ([], ["pg_catalog"]):
            return Value(f"CAST({oid(names[-1])} AS INTEGER)", INTEGER, "oid")
        if self.moment.catalog is None or len(names) > 2:
            raise refuse(f"{node.sql('redshift')[:80]}", "write schema.table, and not in a view")
        found = self.moment.catalog.get(names[0] if len(names) == 2 else None, names[-1])
        return Value(f"CAST({oid(str(found))} AS INTEGER)", INTEGER, "oid")

    def _on_bracket(self, node: Any, scope: Scope) -> Value:
        """A member of a super; or (current_schemas(true))[1], as the JDBC driver asks."""
        inner = node.this.unnest()
        if inner.key == "dot":
            inner = inner.expression
        if inner.key != "anonymous" or str(inner.this).lower() != "current_schemas":
            return super()._on_bracket(node, scope)
        catalog = self.moment.catalog
        first = [str(one) for one in node.expressions] == ["1"]
        if not first or [str(one).lower() for one in inner.expressions] != ["true"]:
            raise refuse(node.sql("redshift")[:80], "ask for (current_schemas(true))[1]")
        if catalog is None or any(schema is None for schema, _ in catalog.relations):
            raise refuse("current_schemas while there are temporary tables", "drop them first")
        return Value(string("pg_catalog"), varchar(127), "current_schemas")


def _pseudo(node: Any) -> str:
    """`regclass` or `oid`, where a node is a cast to one of them; else nothing."""
    to = str(node.to.this).lower().rpartition(".")[2] if node.key == "cast" else ""
    return to if to in ("regclass", "oid") else ""


def is_array(node: Any) -> bool:
    """Whether it is an array that ANY looks into, and no query."""
    return node.unnest().key in ("array", "column")


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


def _names(text: str) -> list[str]:
    """The parts of a name that stands in a text; the database before them is left out."""
    words = Words(text)
    parts = [words.name()]
    while words.take("."):
        parts.append(words.name())
    words.end()
    parts = [folded(part) for part in parts]
    return parts[1:] if len(parts) == 3 and parts[0] == DATABASE else parts
