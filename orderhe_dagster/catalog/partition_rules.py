"""Verifies `@partition` of a select: a row of day d must depend only on rows of day d upstream.

Only then may a day be rebuilt alone and equal the full build. What cannot be verified is refused,
with the reason. Tables without a partition may be joined freely: when a column that is read of one
changes, all is rebuilt (`columns_read`, and `Inputs` of the package).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from orderhe_dagster.catalog.column_lineage import Query
from orderhe_dagster.catalog.errors import Problem, listing
from orderhe_dagster.catalog.inference import null_extended, source_name
from orderhe_dagster.catalog.origins import Computed, select_of
from orderhe_dagster.catalog.syntax import (
    conjuncts_of,
    has_subtotals,
    in_window,
    line_of,
    walk_here,
)
from orderhe_dagster.catalog.table import Table
from orderhe_dagster.catalog.volatility import volatile_part

if TYPE_CHECKING:
    from sqlglot import exp
    from sqlglot.optimizer.scope import Scope

DAY, MOMENT, INSTANT = "day", "moment", "instant"


@dataclass(frozen=True)
class _Rows:
    """What is known of the rows of a source.

    `daily`: each row stems from one day of the partitioned tables. `marks`: the columns that tell
    which: a `day` (date), a `moment` (time in the shop's zone) or an `instant` (time in UTC).
    """

    daily: bool
    marks: Mapping[str, str] = field(default_factory=dict)


def check_daily(query: Query, table: Table, line: int) -> None:
    """Raise Problem unless `table` may be built day by day; `line` is that of its @partition."""
    checker = _Daily(query)
    checker.check_volatile()
    rows = checker.rows(query.root)
    if not rows.daily:
        names = listing([str(ref) for ref in table.depends_on]) or "nothing"
        raise Problem(
            query.path,
            line,
            f"@partition {table.partition}: this select reads {names}, of which none is "
            "partitioned; leave @partition out",
        )
    if table.partition not in rows.marks:
        shifted = ""
        if INSTANT in checker.seen:
            shifted = " (a timestamp's day depends on the shop's time zone: keep the column itself)"
        raise Problem(
            query.path,
            table.column(str(table.partition)).line,
            f"@partition {table.partition}: the column is not plainly the day of a partitioned "
            f"table{shifted}; select that table's partition column, cast to date at most, or "
            "leave @partition out",
        )


class _Daily:
    def __init__(self, query: Query) -> None:
        self.query = query
        self.seen: set[str] = set()
        self._rows: dict[int, _Rows] = {}

    def refuse(self, node: exp.Expr, reason: str) -> Problem:
        return Problem(
            self.query.path,
            line_of(node),
            f"@partition cannot be verified: {reason}; a row of a day must depend only on rows of "
            "that day. Change the select or leave @partition out",
        )

    def check_volatile(self) -> None:
        """Refuse what gives another answer on another run."""
        found = volatile_part(select_of(self.query.root))
        if found is not None:
            raise self.refuse(*found)

    # ---- what is known of rows

    def rows(self, source: Table | Scope) -> _Rows:
        """What is known of the rows of a table or of a query. Problem where days may mix."""
        from sqlglot import exp

        if isinstance(source, Table):
            return self._table(source)
        key = id(source)
        if key not in self._rows:
            is_set = isinstance(select_of(source), exp.SetOperation)
            self._rows[key] = self._union(source) if is_set else self._select(source)
        return self._rows[key]

    def _table(self, table: Table) -> _Rows:
        if table.partition is None:
            return _Rows(False)
        kind = table.column(table.partition).type
        mark = DAY if kind.kind == "date" else INSTANT if kind.instant else MOMENT
        self.seen.add(mark)
        return _Rows(True, {table.partition.lower(): mark})

    def _union(self, scope: Scope) -> _Rows:
        expression = select_of(scope)
        branches = [self.rows(branch) for branch in scope.set_operation_scopes]
        if not any(branch.daily for branch in branches):
            return _Rows(False)
        self._check_limit(expression)
        if not all(branch.daily for branch in branches):
            raise self.refuse(expression, "a part of the union reads no partitioned table")
        places = [
            {
                place: branch.marks[name]
                for place, (name, _) in enumerate(self.query.outputs(part))
                if name in branch.marks
            }
            for branch, part in zip(branches, scope.set_operation_scopes, strict=True)
        ]
        names = [name for name, _ in self.query.outputs(scope)]
        marks = {
            names[place]: mark
            for place, mark in places[0].items()
            if all(other.get(place) == mark for other in places)
        }
        if not marks:
            raise self.refuse(
                expression, "the parts of the union have no column of the day in common"
            )
        return _Rows(True, marks)

    def _select(self, scope: Scope) -> _Rows:
        select = select_of(scope)
        sources = {alias: self.rows(s) for alias, s in self.query.sources(scope).items()}
        for inner in scope.subquery_scopes:
            if self._reads_daily(inner):
                raise self.refuse(inner.expression, "a subquery reads a partitioned table")
        if not any(rows.daily for rows in sources.values()):
            return _Rows(False)
        self._check_limit(select)
        self._check_joins(scope, sources)
        self._check_groups(scope)
        self._check_windows(scope)
        marks = {}
        for projection, (name, _) in zip(
            self._projections(scope), self.query.outputs(scope), strict=True
        ):
            mark = self._sure_mark(scope, projection)
            if mark is not None:
                marks[name] = mark
        if select.args.get("distinct") and not marks:
            raise self.refuse(select, "distinct without the day among the columns")
        return _Rows(True, marks)

    def _reads_daily(self, scope: Scope) -> bool:
        return any(
            isinstance(source, Table) and source.partition is not None
            for inner in self.query.under(scope)
            for source in self.query.sources(inner).values()
        )

    def _projections(self, scope: Scope) -> Iterator[exp.Expr]:
        for _, origins in self.query.outputs(scope):
            origin = origins[0]
            if not isinstance(origin, Computed):
                raise self.refuse(scope.expression, "its columns cannot be followed")
            yield origin.node

    # ---- the rules of one select

    def _check_limit(self, expression: Any) -> None:
        for key in ("limit", "offset", "fetch"):
            if expression.args.get(key) is not None:
                raise self.refuse(expression.args[key], f"{key} chooses among the rows of all days")
        distinct = expression.args.get("distinct")
        if distinct is not None and not isinstance(distinct, bool) and distinct.args.get("on"):
            raise self.refuse(distinct, "distinct on chooses among the rows of all days")

    def _check_joins(self, scope: Scope, sources: Mapping[str, _Rows]) -> None:
        """Partitioned tables meet on the day, and no outer join keeps rows for want of all days."""
        select = select_of(scope)
        where = select.args.get("where")
        filters = list(conjuncts_of(where.this)) if where is not None else []
        first = select.args.get("from_") or select.args.get("from")
        before = [first.this.alias_or_name.lower()]
        for join in select.args.get("joins") or ():
            alias, side = join.this.alias_or_name.lower(), join.side
            if alias not in sources:
                raise self.refuse(join, f"the join of {alias} cannot be followed")
            earlier = {name for name in before if sources[name].daily}
            daily = sources[alias].daily
            if side == "FULL" and (daily or earlier):
                raise self.refuse(join, "a full join")
            if (daily and not earlier and side == "LEFT") or (
                earlier and not daily and side == "RIGHT"
            ):
                raise self.refuse(
                    join, f"the {side.lower()} join keeps rows that no day has a partner for"
                )
            if daily and earlier:
                on = list(conjuncts_of(join.args["on"])) if join.args.get("on") is not None else []
                conjuncts = on + (filters if not side else [])
                if not self._meets(scope, join, alias, earlier, conjuncts):
                    raise self.refuse(join, f"{alias} is joined without its day being equal")
            before.append(alias)

    def _meets(
        self, scope: Scope, join: exp.Join, alias: str, earlier: set[str], conjuncts: list[exp.Expr]
    ) -> bool:
        """Whether the join demands that the day of `alias` equals that of an earlier table."""
        from sqlglot import exp

        for name in join.args.get("using") or ():
            marks = [
                self.rows(source).marks.get(name.name.lower())
                for source in (self.query.sources(scope)[a] for a in [alias, *sorted(earlier)])
            ]
            if marks[0] is not None and marks[0] in marks[1:]:
                return True
        for conjunct in conjuncts:
            if not isinstance(conjunct, exp.EQ):
                continue
            left = self._mark(scope, conjunct.this)
            right = self._mark(scope, conjunct.expression)
            if left is None or right is None or left[1] != right[1]:
                continue
            aliases = {left[0], right[0]}
            if alias in aliases and aliases & earlier:
                return True
        return False

    def _check_groups(self, scope: Scope) -> None:
        from sqlglot import exp

        select = select_of(scope)
        group = select.args.get("group")
        if group is None:
            for node in walk_here(select, top=True):
                if isinstance(node, exp.AggFunc) and not in_window(node, select):
                    raise self.refuse(node, "an aggregate over all days; group by the day")
            return
        if has_subtotals(group):
            raise self.refuse(group, "rollup, cube or grouping sets add up all days")
        keys = list(group.expressions)
        if group.args.get("all"):
            keys = [p.unalias() for p in select.selects]
        for key in keys:
            node = key
            if isinstance(key, exp.Literal) and key.is_int:
                place = int(key.name) - 1
                node = list(self._projections(scope))[place] if place < len(select.selects) else key
            if self._sure_mark(scope, node) is not None:
                return
        raise self.refuse(group, "group by has no column of the day")

    def _check_windows(self, scope: Scope) -> None:
        from sqlglot import exp

        for node in walk_here(select_of(scope), top=True):
            if isinstance(node, exp.Window):
                parts = node.args.get("partition_by") or ()
                if all(self._sure_mark(scope, part) is None for part in parts):
                    raise self.refuse(node, "a window function that is not partitioned by the day")

    # ---- which expressions are the day

    def _sure_mark(self, scope: Scope, node: exp.Expr) -> str | None:
        """The mark of an expression, None where an outer join may have emptied it."""
        mark = self._mark(scope, node)
        return None if mark is None or mark[0] in null_extended(scope) else mark[1]

    def _mark(  # noqa: PLR0911 (a table of rules, one a kind of expression)
        self, scope: Scope, node: exp.Expr
    ) -> tuple[str, str] | None:
        """The source whose day an expression tells, and how; None where it tells none."""
        from sqlglot import exp

        if isinstance(node, (exp.Paren, exp.Alias)):
            return self._mark(scope, node.this)
        if isinstance(node, exp.Column):
            return self._column_mark(scope, node)
        if isinstance(node, exp.Cast):
            mark, to = self._mark(scope, node.this), node.to.this
            if mark is None:
                return None
            if to == exp.DataType.Type.DATE:
                return (mark[0], DAY) if mark[1] != INSTANT else None
            same = to == exp.DataType.Type.TIMESTAMP and mark[1] != DAY
            return mark if same else None
        truncates = isinstance(node, (exp.TimestampTrunc, exp.DateTrunc)) and (
            node.text("unit").upper() == "DAY"
        )
        if truncates or (isinstance(node, exp.Trunc) and not node.args.get("decimals")):
            mark = self._mark(scope, node.this)
            if mark is None or mark[1] == INSTANT:
                return None
            return (mark[0], MOMENT if truncates else DAY)
        return None

    def _column_mark(self, scope: Scope, column: exp.Column) -> tuple[str, str] | None:
        origin = self.query.resolve(scope, column)
        if isinstance(origin, Computed):  # the alias of an earlier column
            return self._mark(scope, origin.node) if origin.scope is scope else None
        alias = source_name(self.query, scope, column)
        source = self.query.sources(scope).get(alias)
        if source is None:
            return None
        mark = self.rows(source).marks.get(column.name.lower())
        return None if mark is None else (alias, mark)
