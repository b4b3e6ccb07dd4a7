"""Reads a whole folder of SQL into a Catalogue: which files there are, in what order, how they fit.

One file is read by `contract` or `select`; this module ties them together and collects what is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar, cast

from orderhe_dagster.catalog.column_lineage import Query
from orderhe_dagster.catalog.column_names import spelling_of
from orderhe_dagster.catalog.columns_read import columns_read
from orderhe_dagster.catalog.contract import read_contract
from orderhe_dagster.catalog.day_links import is_link, through_parents
from orderhe_dagster.catalog.errors import CatalogueError, Problem, Problems, close_to, listing
from orderhe_dagster.catalog.header import Entry, read_header
from orderhe_dagster.catalog.header_keys import apply_keys
from orderhe_dagster.catalog.parent_links import parent_links
from orderhe_dagster.catalog.partition_rules import check_daily
from orderhe_dagster.catalog.select import Select, parse_select, resolve_select
from orderhe_dagster.catalog.sql_files import SqlFile, find_files
from orderhe_dagster.catalog.table import Catalogue, Check, Layer, Table, TableRef
from orderhe_dagster.catalog.volatility import volatile_part

Node = TypeVar("Node", bound=Hashable)
Value = TypeVar("Value")

FOLDERS: tuple[Layer, ...] = ("raw", "warehouse", "mart", "export")
CHECKED: tuple[Layer, ...] = ("warehouse", "mart", "export")
RESERVED: Mapping[Layer, Mapping[str, str]] = {
    "export": {
        "dashboard": "the page that is drawn from the exports",
        "lineage": "the page that draws where columns come from",
    }
}
"""Names of assets that no file is to have: what the product makes itself."""
NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")


def named_in_source(name: str, tables: Mapping[str, Value]) -> Value | None:
    """What `tables` has of the source's name, or of the only one that differs from it in capitals alone.

    A server on another system than Linux tells of a table in its own spelling, and of what refers to it
    in small letters.
    """
    if name in tables:
        return tables[name]
    alike = [value for other, value in tables.items() if other.lower() == name.lower()]
    return alike[0] if len(alike) == 1 else None


def read_catalogue(folder: Path) -> Catalogue:
    """Read every table and check under `folder`. CatalogueError lists everything wrong with them."""
    return read_files(str(folder), find_files(folder))


def read_files(root: str, files: Sequence[SqlFile]) -> Catalogue:
    """Read the given files as one catalogue; `root` is the folder's name, for messages."""
    if not files:
        problem = Problem(
            "raw/", 0, "no .sql files; ORDERHE_SQL names a folder with raw/*.sql in it"
        )
        raise CatalogueError(root, [problem])
    reading = _Reading(root, Problems())
    for file in files:
        reading.attempt(file.path, lambda file=file: reading.add(file))  # type: ignore[misc]
    catalogue = reading.finish()
    if reading.problems.items:
        raise CatalogueError(root, reading.problems.items)
    return catalogue


class _Reading:
    """One reading of a folder."""

    def __init__(self, root: str, problems: Problems) -> None:
        self.root, self.problems = root, problems
        self.contracts: dict[str, Table] = {}
        self.day_links: dict[str, Entry] = {}  # contracts that are cut by the day of a parent
        self.selects: dict[TableRef, Select] = {}
        self.checks: list[tuple[Check, Select]] = []
        self.files: dict[TableRef, SqlFile] = {}  # every table there is a file of, good or bad
        self.bad: set[TableRef] = set()

    def attempt(self, path: str, work: Callable[[], Value]) -> Value | None:
        """Do the work on one file; a Problem, or what the parser makes of odd SQL, is noted."""
        from sqlglot.errors import SqlglotError

        try:
            return self.problems.attempt(work)
        except RecursionError:
            self.problems.add(
                path,
                0,
                "brackets or operators are nested too deeply to be read; split the expression "
                "over several CTEs",
            )
        except (SqlglotError, ValueError) as error:
            self.problems.add(path, 0, f"cannot be read: {error}; write it more plainly")
        return None

    def add(self, file: SqlFile) -> None:
        """Read one file as far as it can be read alone."""
        path = file.path
        parts = path[: -len(".sql")].split("/")
        is_check = parts[0] == "checks" and len(parts) == 3
        if not (is_check or (len(parts) == 2 and parts[0] in FOLDERS)):
            places = listing([f"{layer}/" for layer in FOLDERS])
            raise Problem(path, 0, f"a .sql file lies in {places} or checks/<layer>/, nowhere else")
        if is_check:
            self._add_check(file, parts[1], parts[2])
            return
        name = parts[1]
        if not NAME.fullmatch(name):
            raise Problem(
                path,
                0,
                "a file's name is the table's: lower-case letters, digits and _, "
                "a letter first, at most 64",
            )
        ref = TableRef(cast("Layer", parts[0]), name)
        if taken := RESERVED.get(ref.layer, {}).get(name):
            raise Problem(path, 0, f"{'/'.join(ref.path)} is {taken}; give this file another name")
        self.files[ref] = file
        self.bad.add(ref)
        text = file.text
        header = read_header(path, text, self.problems)
        if ref.layer == "raw":
            contract = read_contract(path, name, text, header, self.problems)
            contract = replace(contract, code_version=file.code_version)
            self.contracts[name] = apply_keys(contract, header, self.problems)
            partition = header.entry("partition")
            if partition is not None and is_link(partition):
                self.day_links[name] = partition
        else:
            self.selects[ref] = parse_select(path, ref, text, header, self.problems)
        self.bad.discard(ref)

    def _add_check(self, file: SqlFile, layer: str, stem: str) -> None:
        name, double, claim = stem.partition("__")
        if layer not in CHECKED:
            folders = listing([f"checks/{known}/" for known in CHECKED])
            raise Problem(file.path, 0, f"no layer {layer!r} is checked by SQL; use {folders}")
        if not double or not NAME.fullmatch(name) or not NAME.fullmatch(claim):
            raise Problem(file.path, 0, "a check is called <table>__<claim>.sql, in lower case")
        text = file.text
        header = read_header(file.path, text, self.problems)
        for key, entry in header.entries.items():
            self.problems.add(file.path, entry.line, f"@{key}: a check takes no keys, only prose")
        ref = TableRef(layer, name)
        select = parse_select(file.path, ref, text, header, self.problems)
        self.checks.append((Check(ref, claim, file.path, select.body, header.description), select))

    def finish(self) -> Catalogue:
        """Everything that takes more than one file: names, order, columns, checks."""
        contracts = self._ordered_contracts()
        known = self._known()
        for ref in sorted(self.files, key=str):
            if ref.layer == "warehouse" and TableRef("raw", ref.name) in self.files:
                other = self.files[TableRef("raw", ref.name)].path
                self.problems.add(
                    self.files[ref].path,
                    0,
                    f"{ref} is already the loaded table of {other}; give this one another name",
                )
        for select in [*self.selects.values(), *(select for _, select in self.checks)]:
            self._check_dependencies(select, known)
        tables = {table.read_as: table for table in contracts}
        for ref in self._ordered_selects():
            select = self.selects[ref]
            if all(upstream in tables for upstream in select.dependencies):
                table = self.attempt(
                    select.path,
                    lambda s=select: self._resolve(s, tables),  # type: ignore[misc]
                )
                if table is not None:
                    tables[ref] = table
        checks = sorted(self._resolved_checks(tables, known), key=lambda check: check.path)
        models = [table for table in tables.values() if table.layer != "raw"]
        return Catalogue(self.root, (*contracts, *models), tuple(checks))

    def _resolve(self, select: Select, tables: Mapping[TableRef, Table]) -> Table | None:
        before = len(self.problems.items)
        resolved = resolve_select(select, tables, self.problems)
        if resolved is None:
            return None
        table, query = resolved
        personal = {column.name for column in table.columns if column.pii}
        table = apply_keys(table, select.header, self.problems)
        columns = tuple(replace(c, pii=c.pii or c.name in personal) for c in table.columns)
        table = replace(table, columns=columns, code_version=self.files[select.ref].code_version)
        if len(self.problems.items) > before:
            return table
        if table.partition is not None:
            check_daily(query, table, select.header.entries["partition"].line)
            table = replace(table, links=parent_links(query))
        return replace(
            table,
            reads=columns_read(query, table.depends_on),
            is_steady=volatile_part(select.expression) is None,
        )

    def _known(self) -> set[TableRef]:
        """What SQL may read: models, and the warehouse's copy of every contract."""
        return {
            TableRef("warehouse", ref.name) if ref.layer == "raw" else ref
            for ref in self.files
            if ref.layer in ("raw", "warehouse", "mart")
        }

    def _check_dependencies(self, select: Select, known: set[TableRef]) -> None:
        for ref, line in select.dependencies.items():
            if ref not in known:
                alike = [str(other) for other in known if other.name == ref.name]
                near = [other.name for other in known if other.layer == ref.layer]
                hint = f"; did you mean {alike[0]}?" if alike else close_to(ref.name, near)
                wanted = f"{ref.layer}/{ref.name}.sql"
                if ref.layer == "warehouse":
                    wanted = f"raw/{ref.name}.sql or {wanted}"
                self.problems.add(
                    select.path, line, f"there is no table {ref}{hint or f'; add {wanted}'}"
                )

    def _ordered_contracts(self) -> list[Table]:
        """Contracts, parents before children (where these go round, by name), keys and days completed."""
        in_source = self._by_source_name()
        graph: dict[str, list[str]] = {}
        for name in sorted(self.contracts):
            self.contracts[name] = self._completed_keys(self.contracts[name], in_source)
        contracts = dict(self.contracts)  # as the source has them
        for name, entry in self.day_links.items():
            table = self.problems.attempt(
                lambda name=name, entry=entry: through_parents(contracts[name], entry, contracts)  # type: ignore[misc]
            )
            self.contracts[name] = table or contracts[name]
        for name, table in sorted(self.contracts.items()):
            parents = [step.parent.name for step in table.day_through]
            parents += [key.parent for key in table.foreign_keys if key.parent in self.contracts]
            graph[name] = [*dict.fromkeys(parents)]
        return [self.contracts[name] for name in _ordered(graph)[0]]

    def _by_source_name(self) -> dict[str, Table]:
        """The contracts by the names that the source has for their tables: each has one contract."""
        in_source: dict[str, Table] = {}
        for name in sorted(self.contracts):
            table = self.contracts[name]
            first = in_source.setdefault(table.source_name, table)
            if first is not table:
                self.problems.add(
                    table.path,
                    0,
                    f"{first.path} is a contract of the source's table {table.source_name!r} too: "
                    "a table has one; delete one of the two files, or name another table in it",
                )
        return in_source

    def _completed_keys(self, table: Table, in_source: Mapping[str, Table]) -> Table:
        """The table with its foreign keys' parents by our names, their columns found to be there."""
        keys = []
        for key in table.foreign_keys:
            parent = named_in_source(key.parent, in_source)
            line = next((c.line for c in table.columns if c.name == key.columns[0]), 0)
            if parent is None:
                unread = [self.files[ref].text for ref in self.bad if ref.layer == "raw"]
                if not any(key.parent.lower() in text.lower() for text in unread):
                    hint = close_to(key.parent, in_source)
                    file = f"raw/{key.parent}.sql"
                    wanted = file if NAME.fullmatch(key.parent) else "its contract to raw/"
                    self.problems.add(
                        table.path,
                        line,
                        f"a foreign key names table {key.parent!r}, which has no contract{hint}; "
                        f"add {wanted} or take the foreign key out of this one",
                    )
                continue
            spelling = spelling_of(parent.columns)
            columns = tuple(spelling.get(name.lower(), name) for name in key.parent_columns)
            columns = columns or parent.grain
            missing = [name for name in columns if name not in spelling.values()]
            if missing or len(columns) != len(key.columns):
                what = f"column {missing[0]!r}" if missing else f"{len(key.columns)} columns"
                self.problems.add(
                    table.path,
                    line,
                    f"a foreign key names {what} of {key.parent}, which has none such",
                )
            keys.append(replace(key, parent=parent.name, parent_columns=columns))
        return replace(table, foreign_keys=tuple(keys))

    def _ordered_selects(self) -> list[TableRef]:
        graph = {
            ref: sorted((d for d in self.selects[ref].dependencies if d in self.selects), key=str)
            for ref in sorted(self.selects, key=lambda ref: (FOLDERS.index(ref.layer), ref.name))
        }
        order, cycles = _ordered(graph)
        for cycle in cycles:
            first = self.selects[cycle[0]]
            line = first.dependencies[cycle[1]]
            path = " -> ".join(map(str, cycle))
            self.problems.add(first.path, line, f"tables that read one another: {path}")
        return order

    def _resolved_checks(
        self, tables: Mapping[TableRef, Table], known: set[TableRef]
    ) -> Iterator[Check]:
        """The checks, each with the columns of its answer that show personal data."""
        for check, select in self.checks:
            if check.table not in known and check.table not in self.files:
                hint = close_to(str(check.table), [*map(str, known), *map(str, self.files)])
                self.problems.add(check.path, 0, f"there is no table {check.table} to check{hint}")
            if all(upstream in tables for upstream in select.dependencies):
                personal = self.attempt(
                    select.path,
                    lambda s=select: self._personal_columns(s, tables),  # type: ignore[misc]
                )
                reads = sorted(set(select.dependencies) - {check.table}, key=str)
                steady = volatile_part(select.expression) is None
                yield replace(check, personal=personal or (), reads=tuple(reads), is_steady=steady)

    def _personal_columns(
        self, select: Select, tables: Mapping[TableRef, Table]
    ) -> tuple[int, ...]:
        query = Query(select.path, select.expression, tables)
        if not query.check_names(self.problems):
            return ()
        return tuple(
            place
            for place, (_, origins) in enumerate(query.outputs(query.root))
            if any(
                tables[ref.table].column(ref.column).pii
                for origin in origins
                for ref in query.upstream(origin, personal=True)
            )
        )


def _ordered(graph: Mapping[Node, Sequence[Node]]) -> tuple[list[Node], list[list[Node]]]:
    """Nodes with what they point at first, and the cycles met: `[a, b, a]`."""
    order: list[Node] = []
    cycles: list[list[Node]] = []
    visited: set[Node] = set()

    def visit(node: Node, trail: list[Node]) -> None:
        if node in trail:
            cycles.append([*trail[trail.index(node) :], node])
        elif node not in visited:
            for upstream in graph[node]:
                visit(upstream, [*trail, node])
            visited.add(node)
            order.append(node)

    for node in graph:
        visit(node, [])
    return order, cycles
