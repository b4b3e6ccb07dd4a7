"""What a shop of another system sold, counted by hand: two plain selects on its tables, the rest in Python.

No SQL of the platform and none of its marts is used here.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from orderhe_dagster_tests.intake.shops_of_others.shop import OtherShop, ask
from orderhe_dagster_tests.servers.mariadb import MariaDB


@dataclass(frozen=True)
class Sale:
    """An order as its system has it; `ending` is kept, cancelled or refunded."""

    key: str
    day: date | None
    amount: Decimal
    status: str
    ending: str
    customer: str | None

    @property
    def is_kept(self) -> bool:
        """Whether it was neither cancelled nor given back."""
        return self.ending == "kept"


@dataclass(frozen=True)
class Piece:
    """A line of an order."""

    order: str
    product: str
    quantity: Decimal
    amount: Decimal


@dataclass(frozen=True)
class Sums:
    """What a day or a month came to; `net` is what was neither cancelled nor given back."""

    orders: int
    customers: int
    gross: Decimal
    cancelled: Decimal
    refunded: Decimal
    net: Decimal


@dataclass(frozen=True)
class ProductSums:
    """What a product came to: pieces and amounts of all its orders, and of those that were kept."""

    orders: int
    quantity: Decimal
    gross: Decimal
    kept_orders: int
    kept_quantity: Decimal
    net: Decimal


@dataclass(frozen=True)
class CustomerSums:
    """What a customer came to by the orders that were kept."""

    orders: int
    value: Decimal
    first: date | None
    last: date | None


@dataclass(frozen=True)
class Figures:
    """A shop's orders and lines, and what they come to."""

    sales: Sequence[Sale]
    pieces: Sequence[Piece]

    @property
    def days(self) -> Mapping[date, Sums]:
        """By day; an order without a day is in none."""
        return _sums((sale.day, sale) for sale in self.sales)

    @property
    def months(self) -> Mapping[date, Sums]:
        """By the first day of the month."""
        return _sums((sale.day and sale.day.replace(day=1), sale) for sale in self.sales)

    @property
    def total(self) -> Sums:
        """Of all days."""
        return _summed([sale for sale in self.sales if sale.day is not None])

    @property
    def products(self) -> Mapping[str, ProductSums]:
        """By product: those that were ordered at least once."""
        sales = {sale.key: sale for sale in self.sales}
        by_product: dict[str, list[Piece]] = defaultdict(list)
        for piece in self.pieces:
            if piece.order in sales:
                by_product[piece.product].append(piece)
        return {
            product: ProductSums(
                *_pieces_summed(pieces),
                *_pieces_summed([piece for piece in pieces if sales[piece.order].is_kept]),
            )
            for product, pieces in by_product.items()
        }

    @property
    def line_days(self) -> Mapping[date, Decimal]:
        """What the lines of the orders that were kept came to, by day."""
        sales = {sale.key: sale for sale in self.sales if sale.is_kept}
        sums: dict[date, Decimal] = defaultdict(Decimal)
        for piece in self.pieces:
            day = sales[piece.order].day if piece.order in sales else None
            if day is not None:
                sums[day] += piece.amount
        return sums

    @property
    def customers(self) -> Mapping[str, CustomerSums]:
        """By customer: those with an order that was kept. Guests without an account are nobody."""
        by_customer: dict[str, list[Sale]] = defaultdict(list)
        for sale in self.sales:
            if sale.is_kept and sale.customer is not None:
                by_customer[sale.customer].append(sale)
        return {
            customer: CustomerSums(
                len(sales),
                sum((sale.amount for sale in sales), Decimal(0)),
                *_ends(sales),
            )
            for customer, sales in by_customer.items()
        }

    @property
    def cohorts(self) -> Mapping[tuple[date, int], int]:
        """Customers who bought again, by the month of their first kept order and the months since."""
        months: dict[str, set[date]] = defaultdict(set)
        for sale in self.sales:
            if sale.is_kept and sale.customer is not None and sale.day is not None:
                months[sale.customer].add(sale.day.replace(day=1))
        return Counter(
            (min(seen), (month.year - min(seen).year) * 12 + month.month - min(seen).month)
            for seen in months.values()
            for month in seen
        )

    @property
    def funnel(self) -> Mapping[tuple[date, str], int]:
        """Orders by day and status, in the system's own words."""
        return Counter((sale.day, sale.status) for sale in self.sales if sale.day is not None)


def by_hand(shop: OtherShop, server: MariaDB, database: str) -> Figures:
    """Count what is in the shop's tables now."""
    return Figures(
        [Sale(*row) for row in ask(server, database, shop.orders_sql)],
        [
            Piece(order, product, Decimal(quantity), amount)
            for order, product, quantity, amount in ask(server, database, shop.lines_sql)
        ],
    )


def _sums(sales: Iterable[tuple[date | None, Sale]]) -> Mapping[date, Sums]:
    groups: dict[date, list[Sale]] = defaultdict(list)
    for key, sale in sales:
        if key is not None:
            groups[key].append(sale)
    return {key: _summed(group) for key, group in groups.items()}


def _summed(sales: Sequence[Sale]) -> Sums:
    def amount(*endings: str) -> Decimal:
        return sum((sale.amount for sale in sales if sale.ending in endings), Decimal(0))

    return Sums(
        len(sales),
        len({sale.customer for sale in sales} - {None}),
        amount("kept", "cancelled", "refunded"),
        amount("cancelled"),
        amount("refunded"),
        amount("kept"),
    )


def _pieces_summed(pieces: Sequence[Piece]) -> tuple[int, Decimal, Decimal]:
    """Orders, pieces and amount."""
    return (
        len({piece.order for piece in pieces}),
        sum((piece.quantity for piece in pieces), Decimal(0)),
        sum((piece.amount for piece in pieces), Decimal(0)),
    )


def _ends(sales: Iterable[Sale]) -> tuple[date | None, date | None]:
    days = [sale.day for sale in sales if sale.day is not None]
    return min(days, default=None), max(days, default=None)
