"""What a table is, once read: plain, frozen values. No parsing and no input or output lives here."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property
from typing import Any, Literal

Layer = Literal["raw", "backup", "warehouse", "mart", "export"]
LAYERS: tuple[Layer, ...] = ("raw", "backup", "warehouse", "mart", "export")

Kind = Literal[
    "boolean",
    "smallint",
    "integer",
    "bigint",
    "decimal",
    "real",
    "double",
    "date",
    "timestamp",
    "varchar",
    "varbyte",
]
"""The types that are carried: the intersection of what Parquet COPY, Redshift and DuckDB hold exactly."""

_BETWEEN = re.compile(
    r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|(?:--[^\n]*|/\*.*?\*/|\s+)+""",
    re.DOTALL,
)
"""What is quoted, and what stands between words: comments and blanks."""

BadValues = Literal["quarantine", "null", "fail"]
"""What becomes of a value that cannot be carried: its row is set aside and counted, or the value is
made NULL and counted, or the backup fails."""
BAD_VALUES: tuple[BadValues, ...] = ("quarantine", "null", "fail")

DAY_COLUMN = "_day"
"""The column that tells the day of a row whose day is its parent's: the platform's, not the source's."""
MOMENT_COLUMN = "_day_read"
"""The parent's own column, as the statements that read such rows from MySQL name it; it goes no further."""


@dataclass(frozen=True)
class ColumnType:
    """A carried type. `declared` is the text of the contract or cast it came from.

    `length` is in bytes (Redshift's unit) for varchar and varbyte; `fraction` is the number of
    digits of a second for timestamp (0 to 6); `instant` marks a MySQL TIMESTAMP: a moment in UTC,
    where any other timestamp is wall-clock time in the shop's time zone.
    """

    kind: Kind
    precision: int = 0
    scale: int = 0
    length: int = 0
    fraction: int = 6
    instant: bool = False
    declared: str = ""


@dataclass(frozen=True)
class Column:
    """One column of a table; `line` is where the file names it (1-based).

    With `@bad_values … null`, a column that is not null in the source is nullable here: `promised`.
    """

    name: str
    type: ColumnType
    description: str = ""
    nullable: bool = True
    pii: bool = False
    values: tuple[str, ...] = ()  # accepted values of an enum; () = any
    default: str | None = None  # the contract's default as SQL text
    generated: bool = False  # computed by MySQL: read like any other, never written
    bad_values: BadValues = "quarantine"  # what becomes of values that cannot be carried
    line: int = 0
    is_added: bool = False  # by the platform: the source's table does not have it
    promised: bool = False  # the source holds no NULL of it, and what cannot be carried becomes one
    source_name: str = ""  # what the source calls it; "": as we do

    def __post_init__(self) -> None:
        if not self.source_name:
            object.__setattr__(self, "source_name", self.name)

    @property
    def required(self) -> bool:
        """Whether the source takes no NULL of it."""
        return self.promised or not self.nullable

    @property
    def meaning(self) -> str:
        """The description as people read it: it says so where the values are personal data."""
        return f"{self.description} (personal data)".strip() if self.pii else self.description


@dataclass(frozen=True)
class ForeignKey:
    """`columns` of this raw table name a row of raw table `parent` by `parent_columns`.

    As a contract is read, `parent` is the source's name of the table; in a catalogue it is ours.
    """

    columns: tuple[str, ...]
    parent: str
    parent_columns: tuple[str, ...]


@dataclass(frozen=True)
class TableRef:
    """A table's name; `str()` is what SQL writes (`mart.daily_sales`), `path` the asset key's."""

    layer: Layer
    name: str

    def __str__(self) -> str:
        return f"{self.layer}.{self.name}"

    @property
    def path(self) -> tuple[str, str]:
        """The asset key: (layer, name)."""
        return (self.layer, self.name)


@dataclass(frozen=True)
class ColumnRef:
    """A column of a table, as lineage names it."""

    table: TableRef
    column: str


@dataclass(frozen=True)
class ParentLink:
    """By which columns a select joins a table without days (`parent`) to a partitioned one (`child`).

    Only rows of the child whose columns equal those of a parent's row depend on it. `columns`: pairs of
    the child's and the parent's.
    """

    parent: TableRef
    child: TableRef
    columns: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class DayStep:
    """One step to the day of a row: `column` of the table before names a row of `parent` by its `key`.

    The last step's parent has the day in its `partition`. Parents are as the source has them.
    """

    column: str
    parent: Table
    key: str


@dataclass(frozen=True)
class Plot:
    """A picture of a mart: number `y` over `x` (a day: a line; a text: bars), told apart by `by`."""

    x: str
    y: str
    by: str | None = None


@dataclass(frozen=True)
class Table:
    """One file of `sql/`: a raw contract (`create table`) or a select of warehouse, mart or export."""

    ref: TableRef
    path: str  # of the file, relative to the sql folder, with forward slashes
    sql: str  # the statement as written, comments included, without the trailing semicolon
    code_version: str  # 12 hex digits of the file's sha256
    description: str
    columns: tuple[Column, ...]
    partition: str | None = None  # date column of the daily partitions
    day_through: tuple[DayStep, ...] = ()  # the way to the parent whose day `partition` is
    cursor: str | None = None  # column that moves whenever a row changes
    leave_out: tuple[str, ...] = ()  # columns of the shop's table that the contract leaves out
    grain: tuple[str, ...] = ()  # unique and not null; a contract's primary key unless said
    unique: tuple[tuple[str, ...], ...] = ()  # the contract's further unique keys
    foreign_keys: tuple[ForeignKey, ...] = ()
    distkey: str | None = None
    sortkey: tuple[str, ...] = ()
    owner: str | None = None
    freshness: timedelta | None = None
    plot: Plot | None = None
    depends_on: tuple[TableRef, ...] = ()  # () for a contract
    time_zone: str = "UTC"  # the shop's, in which the days of `partition` are counted
    lineage: dict[str, tuple[ColumnRef, ...]] = field(default_factory=dict)  # column -> upstream
    reads: tuple[ColumnRef, ...] = ()  # of a select: all the columns that its rows can depend on
    links: tuple[ParentLink, ...] = ()  # with @partition: see `parent_links`
    is_steady: bool = True  # it surely gives the same rows again of the same tables
    source_name: str = ""  # what the source calls a contract's table; "": as we do

    def __post_init__(self) -> None:
        if not self.source_name:
            object.__setattr__(self, "source_name", self.ref.name)

    @property
    def name(self) -> str:
        """Our bare name, e.g. `orders`: of the file, the asset, the backups and the warehouse's table."""
        return self.ref.name

    @property
    def without_comments(self) -> str:
        """The statement without comments and line breaks: of the same text it gives the same rows.

        Where anything could be read in two ways, it is the statement as written.
        """
        pieces = [match[0] for match in _BETWEEN.finditer(self.sql)]
        if "\\" in self.sql or "$$" in self.sql or any(one.count("/*") > 1 for one in pieces):
            return self.sql
        return _BETWEEN.sub(
            lambda match: match[0] if match[0][0] in "'\"" else " ", self.sql
        ).strip()

    @property
    def read_as(self) -> TableRef:
        """What SQL reads the table as: a raw contract's rows are read from `warehouse`."""
        return TableRef("warehouse", self.ref.name) if self.ref.layer == "raw" else self.ref

    @property
    def layer(self) -> Layer:
        """The layer of the file: raw, warehouse, mart or export."""
        return self.ref.layer

    @property
    def in_source(self) -> Table:
        """The table as the source has it: without the day of its parent, where it is cut by that."""
        columns = tuple(column for column in self.columns if not column.is_added)
        if len(columns) == len(self.columns):
            return self
        return replace(self, columns=columns, partition=None, day_through=())

    @property
    def day_text(self) -> str:
        """The way to the parent's day, as @partition has it; '' where rows have their own."""
        if not self.day_through:
            return ""
        columns = [*(step.column for step in self.day_through[1:]), self._day_column]
        return self.day_through[0].column + "".join(
            f" -> {step.parent.name}{'' if step.parent.grain == (step.key,) else f'({step.key})'}.{column}"
            for step, column in zip(self.day_through, columns, strict=True)
        )

    @property
    def _day_column(self) -> str:
        return str(self.day_through[-1].parent.partition)

    def in_zone(self, time_zone: str) -> Table:
        """The table of a shop whose days are those of `time_zone`."""
        steps = tuple(
            replace(step, parent=step.parent.in_zone(time_zone)) for step in self.day_through
        )
        return replace(self, time_zone=time_zone, day_through=steps)

    def source_column(self, name: str | None) -> str:
        """What the source calls the column that is called so by us; '' for none."""
        return self.column(name).source_name if name else ""

    def column(self, name: str) -> Column:
        """The column of that name; KeyError names the columns there are."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"{self.ref} has no column {name!r}; it has {', '.join(self.column_names)}")

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names in the file's order."""
        return tuple(column.name for column in self.columns)


@dataclass(frozen=True)
class Check:
    """One file of `sql/checks/<layer>/<table>__<claim>.sql`: a select of the wrong rows."""

    table: TableRef
    claim: str
    path: str
    sql: str
    description: str
    personal: tuple[int, ...] = ()  # places (from 0) of the output columns that show @pii columns
    reads: tuple[TableRef, ...] = ()  # the tables it reads besides its own
    is_steady: bool = True  # of the same rows it surely says the same again


@dataclass(frozen=True)
class Catalogue:
    """Every table and check of one `sql/` folder. Order: upstream before downstream."""

    root: str
    tables: tuple[Table, ...]
    checks: tuple[Check, ...] = ()
    derived: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)
    """What was derived from it once, by its name: of many tables, to derive it for each takes long."""

    def layer(self, layer: Layer) -> tuple[Table, ...]:
        """The tables whose files lie in that layer's folder, upstream first."""
        return tuple(table for table in self.tables if table.layer == layer)

    def get(self, ref: TableRef) -> Table:
        """The table that `ref` names in SQL; `warehouse.x` of a raw contract x is that contract."""
        tables = self._by_ref
        found = tables.get(ref)
        if found is None and ref.layer == "warehouse":
            found = tables.get(TableRef("raw", ref.name))
        if found is None:
            raise KeyError(f"no table {ref} in {self.root}")
        return found

    @cached_property
    def _by_ref(self) -> dict[TableRef, Table]:
        return {table.ref: table for table in self.tables}

    def in_zone(self, time_zone: str) -> Catalogue:
        """The catalogue of a shop whose days are those of `time_zone`."""
        tables = tuple(table.in_zone(time_zone) for table in self.tables)
        return replace(self, tables=tables)
