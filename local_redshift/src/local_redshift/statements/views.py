"""CREATE VIEW, late-binding or not, and materialized views. Tables: `ddl`; DROP: `drops`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from local_redshift.compile.protocol import Compiler, Lookup
from local_redshift.errors import RedshiftError, refuse
from local_redshift.read.dialect import quote
from local_redshift.read.syntax import parse
from local_redshift.read.words import Words
from local_redshift.statements.columns import (
    Attributes,
    Reader,
    check_keys,
    check_names,
    definition,
    name_keys,
    place,
    query_columns,
    read_attributes,
)
from local_redshift.transactions.commands import Command, noted
from local_redshift.transactions.locks import Mode
from local_redshift.values.catalog import Catalog, Column, Relation
from local_redshift.values.scope import Query
from local_redshift.values.uses import Uses

_UNBOUND = ["with", "no", "schema", "binding"]
_MISSING = ("42P01", "3F000", "42703")  # a table, a schema, a column that is not there yet


def create_view(reader: Reader, words: Words) -> list[Command]:
    """CREATE [OR REPLACE] VIEW … AS … [WITH NO SCHEMA BINDING]."""
    replaced = words.take("or", "replace")
    words.expect("view")
    schema, name = place(reader, words, False)
    there = reader.catalog.relations.get((schema, name))
    if there is not None and not (replaced and there.kind == "view"):
        raise RedshiftError("42P07", f'Relation "{name}" already exists')
    named = words.names() if words.peek("(") else []
    words.expect("as")
    if [word.lower for word in words.words[-4:]] == _UNBOUND:
        start, end = words.words[words.at].start, words.words[-5].end
        view = _late(reader, (schema, name), words.sql[start:end], named)
        if there is not None and reader.catalog.views_on(there):
            raise refuse(f"a late-binding {there}, which other views read", "drop them first")
        view = replace(view, attributes=_whose(reader.catalog, view, there))
        text = f'CREATE OR REPLACE VIEW {view.sql}("\x01") AS SELECT 1'
        return [Command(text, Uses(), view, Mode.ALONE), noted(view)]
    query, attributes = _kept(reader, words.rest())
    columns = query_columns(query, named)
    check_names(name, columns)
    if there is not None:
        _check_shape(reader.catalog, there, columns)
    view = Relation(schema, name, tuple(columns), True, attributes)
    view = replace(view, attributes=_whose(reader.catalog, view, there))
    listed = ", ".join(quote(column.name) for column in columns)
    text = f"CREATE OR REPLACE VIEW {view.sql}({listed}) AS {query.sql}"
    return [Command(text, query.uses, view, Mode.ALONE), noted(view)]


def _whose(catalog: Catalog, view: Relation, there: Relation | None) -> Attributes:
    """The attributes of a view with its owner and rights: those of the one that it replaces."""
    if there is None:
        return catalog.made(view.schema, view.attributes)
    kept: Attributes = {
        name: there.attributes[name] for name in ("owner", "rights") if name in there.attributes
    }
    return {**view.attributes, **kept}


def _check_shape(catalog: Catalog, there: Relation, columns: list[Column]) -> None:
    """A view that others read is replaced by one with the same columns only."""
    shape = [(column.name, column.type) for column in columns]
    if catalog.views_on(there) and list(there.shape) != shape:
        raise RedshiftError(
            "42P16", f"cannot change the columns of {there}, which other views read"
        )


def _kept(reader: Reader, text: str) -> tuple[Query, Attributes]:
    """A view's compiled query, which is kept, and what must be known of it whenever it is used.

    `reads`: the relations that it names, `schema.table`; `udfs`: the functions in Python that it calls.
    """
    compiler = reader.compiler(True)
    reads: set[str] = set()
    lookup = compiler.lookup

    def noting(schema: str | None, name: str) -> Query:
        relation = reader.catalog.find(schema, name)
        if relation is None or relation.schema is None or "unbound" in relation.attributes:
            raise refuse(
                f"a view over {name}",
                "read a table or view that is there, and neither temporary nor late-binding",
            )
        reads.add(str(relation))
        return lookup(schema, name)

    compiler.lookup = noting
    query = compiler.query(parse(text), None, {})
    return query, {"reads": sorted(reads), "udfs": sorted(query.uses.udfs)}


def _late(reader: Reader, called: tuple[str | None, str], text: str, named: list[str]) -> Relation:
    """WITH NO SCHEMA BINDING: the text is kept, and read when the view is."""
    from sqlglot import exp

    schema, name = called
    tree: Any = parse(text)
    ctes = {str(cte.alias).lower() for cte in tree.find_all(exp.CTE)}
    for table in tree.find_all(exp.Table):
        if not table.args.get("db") and str(table.name).lower() not in ctes:
            raise RedshiftError(
                "0A000",
                "All the relation names inside should be qualified when creating VIEW WITH NO "
                f"SCHEMA BINDING: {table.name}",
            )
    try:  # what has no rule is told now, what is missing when the view is used
        query = reader.compiler(True).query(tree, None, {})
        check_names(name, query_columns(query, named))
    except RedshiftError as error:
        if error.code not in _MISSING:
            raise
    return Relation(schema, name, (), True, {"unbound": text, "named": named})


def create_materialized_view(reader: Reader, words: Words) -> list[Command]:
    """CREATE MATERIALIZED VIEW: a table that keeps its query, until it is refreshed."""
    schema, name = place(reader, words, False)
    if (schema, name) in reader.catalog.relations:
        raise RedshiftError("42P07", f'Relation "{name}" already exists')
    named = words.names() if words.peek("(") else []
    attributes: Attributes = {}
    read_attributes(words, attributes)
    if words.take("auto", "refresh"):
        attributes["auto_refresh"] = words.peek("yes")
        if not (words.take("yes") or words.take("no")):
            raise words.error("yes or no expected")
    words.expect("as")
    query, kept = _kept(reader, words.rest())
    columns = query_columns(query, named)
    check_names(name, columns)
    name_keys(attributes, columns, True)
    check_keys(name, columns, attributes)
    attributes |= {"materialized": query.sql, **kept}
    attributes = reader.catalog.made(schema, attributes)
    table = Relation(schema, name, tuple(columns), False, attributes)
    listed = ", ".join(map(definition, columns))
    text = f"CREATE TABLE {table.sql} ({listed})"
    return [Command(text, Uses(), table, Mode.ALONE), noted(table), _filled(table, query.uses)]


def refreshed(relation: Relation, catalog: Catalog) -> list[Command]:
    """The statements that fill a materialized view anew."""
    if relation.kind != "materialized view":
        raise RedshiftError("42809", f'"{relation}" is not a materialized view')
    catalog.permit_reads(relation)
    uses = catalog.reached(relation.attributes.get("reads", ()))
    uses.udfs.update(relation.udfs)
    emptied = Command(f"DELETE FROM {relation.sql}", Uses(), relation, Mode.WRITE)
    return [emptied, _filled(relation, uses)]


def _filled(relation: Relation, uses: Uses) -> Command:
    text = f"INSERT INTO {relation.sql} {relation.attributes['materialized']}"
    return Command(text, uses, relation, Mode.APPEND)


def lookup(catalog: Catalog, compiler: Callable[[], Compiler]) -> Lookup:
    """`Catalog.lookup`, where a late-binding view is its query, compiled against what is there now."""

    def looked_up(schema: str | None, name: str) -> Query:
        relation = catalog.find(schema, name)
        if relation is None or "unbound" not in relation.attributes:
            return catalog.lookup(schema, name)
        catalog.permit(relation, "select")
        with catalog.owned_by(relation):
            query = compiler().query(parse(relation.attributes["unbound"]), None, {})
        columns = query_columns(query, relation.attributes["named"])
        check_names(name, columns)
        listed = ", ".join(quote(column.name) for column in columns)
        text = f'(SELECT * FROM ({query.sql}) AS "_l"({listed}))'
        return Query(text, tuple((column.name, column.type) for column in columns), query.uses)

    return looked_up
