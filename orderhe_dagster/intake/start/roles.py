"""What tables and columns of a shop are for its marts: plain values. How they are found: `recognise`."""

from __future__ import annotations

from dataclasses import dataclass, field

from orderhe_dagster.catalog.table import Column, Table


@dataclass(frozen=True)
class Ref:
    """A column of a table."""

    table: Table
    name: str

    @property
    def column(self) -> Column:
        """What the contract says of it."""
        return self.table.column(self.name)

    def __str__(self) -> str:
        return f"{self.table.name}.{self.name}"


@dataclass(frozen=True)
class Lookup:
    """A table that is joined for one column of it: `key` of it equals `by` of what it is joined to.

    `shown` is the column it is joined for.
    """

    table: Table
    key: str
    by: str
    shown: str


@dataclass(frozen=True)
class Rule:
    """A condition that the rows of a table must meet to count; `why` ends a sentence."""

    column: str
    condition: str  # with {column} for the column
    why: str


@dataclass(frozen=True)
class Orders:
    """The table of the orders, and which of its columns is what."""

    table: Table
    key: str
    day: str
    amount: str | None = None
    customer: str | None = None
    customer_by: Lookup | None = None  # where another table says whose order it is
    status: str | None = None
    status_by: Lookup | None = None  # where another table has the word for it
    status_names: Ref | None = (
        None  # what numbers of a status mean: the name; the key is `status_key`
    )
    status_key: str | None = None
    currency: str | None = None
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True)
class Lines:
    """The table of the order lines, and which of its columns is what."""

    table: Table
    order: str
    product: str
    quantity: str | None  # None: each row is one piece
    amount: str | None = None
    price: str | None = None
    name: str | None = None
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True)
class Products:
    """Where a product's name and category stand; `names` and `categories` are looked up by the key."""

    table: Table
    key: str
    name: str | None = None
    category: str | None = None
    category_by: Lookup | None = None


@dataclass(frozen=True)
class Stages:
    """Which values of the status mean what; all others are orders that wait, or nobody can say more of.

    `drafts` are no orders. A number is written as its digits.
    """

    cancelled: tuple[str, ...] = ()
    returned: tuple[str, ...] = ()
    shipped: tuple[str, ...] = ()
    delivered: tuple[str, ...] = ()
    drafts: tuple[str, ...] = ()
    names: dict[str, str] = field(default_factory=dict)
    """What the values are called, where they are numbers."""


@dataclass(frozen=True)
class Shop:
    """What was recognised of a shop: all that its marts are made of."""

    orders: Orders
    stages: Stages
    currency: str
    time_zone: str
    lines: Lines | None = None
    products: Products | None = None
