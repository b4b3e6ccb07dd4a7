"""Verifies `@partition` of a select: a row of day d must depend only on rows of day d upstream.

Only then may a day be rebuilt alone and equal the full build. What cannot be verified is refused,
with the reason. Tables without a partition may be joined freely: when a column that is read of one
changes, all is rebuilt (`columns_read`, and `Inputs` of the package).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from orderhe_dagster.catalog.column_lineage import Query
from orderhe_dagster.catalog.errors import Problem, listing
from orderhe_dagster.catalog.inference import null_extended, source_name
from orderhe_dagster.catalog.origins import Computed, select_of
from orderhe_dagster.catalog.syntax import (
    conjuncts_of,
    first_alias,
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
"""How a value tells a day: as a date, a time in the shop's zone or a time in UTC."""


@dataclass(frozen=True)
class _Rows:
    """What is known of the rows of a source.

    `daily`: each row stems from one day of the partitioned tables. `day_columns`: the columns that
    tell which day, and how.
    """

    daily: bool
    day_columns: Mapping[str, str] = field(default_factory=dict)


class _Day(NamedTuple):
    """What an expression tells: the day of which source, and how."""

    alias: str
    how: str


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
    if table.partition not in rows.day_columns:
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
        """The problem to raise where a rule is broken at `node`."""
        return Problem(
            self.query.path,
            line_of(node),
            f"@partition cannot be verified: {reason}; a row of a day must depend only on rows of "
            "that day. Change the select or leave @partition out",
        )

    def check_volatile(self) -> None:
        """Refuse what gives another answer on another run."""
        reason = volatile_part(select_of(self.query.root))
        if reason is not None:
            raise self.refuse(*reason)

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
        how = DAY if kind.kind == "date" else INSTANT if kind.instant else MOMENT
        self.seen.add(how)
        return _Rows(True, {table.partition.lower(): how})

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
                place: branch.day_columns[name]
                for place, (name, _) in enumerate(self.query.outputs(part))
                if name in branch.day_columns
            }
            for branch, part in zip(branches, scope.set_operation_scopes, strict=True)
        ]
        names = [name for name, _ in self.query.outputs(scope)]
        day_columns = {
            names[place]: how
            for place, how in places[0].items()
            if all(other.get(place) == how for other in places)
        }
        if not day_columns:
            raise self.refuse(
                expression, "the parts of the union have no column of the day in common"
            )
        return _Rows(True, day_columns)

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
        day_columns = {}
        for projection, (name, _) in zip(
            self._projections(scope), self.query.outputs(scope), strict=True
        ):
            day = self._sure_day(scope, projection)
            if day is not None:
                day_columns[name] = day.how
        if select.args.get("distinct") and not day_columns:
            raise self.refuse(select, "distinct without the day among the columns")
        return _Rows(True, day_columns)

    def _reads_daily(self, scope: Scope) -> bool:
        return any(
            isinstance(source, Table) and source.partition is not None
            for inner in self.query.scopes_under(scope)
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
        before = first_alias(select)
        for join in select.args.get("joins") or ():
            alias = join.this.alias_or_name.lower()
            if alias not in sources:
                raise self.refuse(join, f"the join of {alias} cannot be followed")
            earlier = {name for name in before if sources[name].daily}
            daily = sources[alias].daily
            self._check_side(join, bool(earlier), daily)
            if daily and earlier and not self._meets(scope, join, alias, earlier):
                day = listing([f"{alias}.{name}" for name in sources[alias].day_columns])
                raise self.refuse(join, f"{alias} is joined without its day being equal ({day})")
            before.append(alias)

    def _check_side(self, join: exp.Join, left_daily: bool, right_daily: bool) -> None:
        side = str(join.side)
        if side == "FULL" and (left_daily or right_daily):
            raise self.refuse(join, "a full join")
        if left_daily != right_daily and side == ("LEFT" if right_daily else "RIGHT"):
            raise self.refuse(
                join, f"the {side.lower()} join keeps rows that no day has a partner for"
            )

    def _meets(self, scope: Scope, join: exp.Join, alias: str, earlier: set[str]) -> bool:
        """Whether the join demands that the day of `alias` equals that of an earlier table."""
        from sqlglot import exp

        sources = self.query.sources(scope)
        for name in join.args.get("using") or ():
            mine, *others = (
                self.rows(sources[source]).day_columns.get(name.name.lower())
                for source in (alias, *sorted(earlier))
            )
            if mine is not None and mine in others:
                return True
        for condition in _conditions(select_of(scope), join):
            if not isinstance(condition, exp.EQ):
                continue
            left = self._day_of(scope, condition.this)
            right = self._day_of(scope, condition.expression)
            if left is None or right is None or left.how != right.how:
                continue
            aliases = {left.alias, right.alias}
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
            if self._sure_day(scope, node) is not None:
                return
        raise self.refuse(group, "group by has no column of the day")

    def _check_windows(self, scope: Scope) -> None:
        from sqlglot import exp

        for node in walk_here(select_of(scope), top=True):
            if isinstance(node, exp.Window):
                parts = node.args.get("partition_by") or ()
                if all(self._sure_day(scope, part) is None for part in parts):
                    raise self.refuse(node, "a window function that is not partitioned by the day")

    # ---- which expressions are the day

    def _sure_day(self, scope: Scope, node: exp.Expr) -> _Day | None:
        """The day that an expression tells, None where an outer join may have emptied it."""
        day = self._day_of(scope, node)
        return None if day is None or day.alias in null_extended(scope) else day

    def _day_of(self, scope: Scope, node: exp.Expr) -> _Day | None:
        """The day that an expression tells; None where it tells none."""
        from sqlglot import exp

        if isinstance(node, (exp.Paren, exp.Alias)):
            return self._day_of(scope, node.this)
        if isinstance(node, exp.Column):
            return self._column_day(scope, node)
        conversion = _conversion(node)
        day = None if conversion is None else self._day_of(scope, node.this)
        if conversion is None or day is None or day.how not in conversion:
            return None
        return _Day(day.alias, conversion[day.how])

    def _column_day(self, scope: Scope, column: exp.Column) -> _Day | None:
        origin = self.query.resolve(scope, column)
        if isinstance(origin, Computed):  # the alias of an earlier column
            return self._day_of(scope, origin.node) if origin.scope is scope else None
        alias = source_name(self.query, scope, column)
        source = self.query.sources(scope).get(alias)
        if source is None:
            return None
        how = self.rows(source).day_columns.get(column.name.lower())
        return None if how is None else _Day(alias, how)


def _conditions(select: Any, join: exp.Join) -> list[exp.Expr]:
    """What the rows of a join hold to: its own conditions, those of an inner join's select too."""
    clauses = [join.args.get("on")]
    where = select.args.get("where")
    if where is not None and not join.side:
        clauses.append(where.this)
    return [part for clause in clauses if clause is not None for part in conjuncts_of(clause)]


def _conversion(node: exp.Expr) -> Mapping[str, str] | None:
    """How a converted value tells the day, by how it told it before; None: no conversion.

    A date made of an instant is missing: it depends on the shop's time zone.
    """
    from sqlglot import exp

    if isinstance(node, exp.Cast):
        if node.to.this == exp.DataType.Type.DATE:
            return {DAY: DAY, MOMENT: DAY}
        to_timestamp = node.to.this == exp.DataType.Type.TIMESTAMP
        return {MOMENT: MOMENT, INSTANT: INSTANT} if to_timestamp else {}
    if isinstance(node, (exp.TimestampTrunc, exp.DateTrunc)):
        return {DAY: MOMENT, MOMENT: MOMENT} if node.text("unit").upper() == "DAY" else None
    if isinstance(node, exp.Trunc) and not node.args.get("decimals"):
        return {DAY: DAY, MOMENT: DAY}
    return None
