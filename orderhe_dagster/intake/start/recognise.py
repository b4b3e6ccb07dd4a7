"""Recognises what the tables and columns of a shop are: by names, types, keys and the values that are seen.

Guesses with a score each; who is asked where one is unsure is `choices`' to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from orderhe_dagster.catalog.table import Column, Kind, Table
from orderhe_dagster.intake.start import systems
from orderhe_dagster.intake.start.choices import Choices, StartError
from orderhe_dagster.intake.start.roles import (
    Lines,
    Lookup,
    Orders,
    Products,
    Ref,
    Rule,
    Shop,
    Stages,
)
from orderhe_dagster.intake.start.words import plain, stage_of, words_of

_MONEY: frozenset[Kind] = frozenset({"decimal", "integer", "bigint", "double", "real"})
_KEYS: frozenset[Kind] = frozenset(
    {"smallint", "integer", "bigint", "decimal", "varchar", "varbyte"}
)
_COUNTS: frozenset[Kind] = frozenset({"smallint", "integer", "bigint", "decimal", "double", "real"})
_DAYS: frozenset[Kind] = frozenset({"date", "timestamp"})

_SIDE_WORDS = frozenset(
    (
        *("item", "line", "detail", "product", "history", "status", "state", "total", "address"),
        *("payment", "tax", "log", "cart", "quote", "meta", "stat", "lookup", "invoice", "refund"),
        *(
            "shipment",
            "shipping",
            "note",
            "comment",
            "slip",
            "return",
            "coupon",
            "discount",
            "rule",
        ),
        *("review", "rating"),
        *("grid", "tag", "transaction", "delivery", "label", "track", "customer", "data", "file"),
        *("aggregated", "archive", "temp", "tmp", "backup", "message", "carrier", "type", "option"),
    )
)
"""Words that say a table is beside the orders, or of what they are made."""
_DAY_NAMES = (
    *("order_?date", "ordered_?(at|on)", "date_?ordered", "placed_?(at|on)", "date_?placed"),
    *(
        "(order_?)?purchased?_?(at|on|date|time|timestamp)(_(day|date))?",
        "date_?purchased?",
        "sold_?(at|on)",
        "sale_?date",
        "booked_?(at|on)",
    ),
    *("date_?add(ed)?", "date_?created(_gmt)?", "creat(ed|ion)_?(at|on|date|time)?"),
    *(
        "order_?date_?time",
        "order_?time",
        "reg(ister(ed)?)?_?(date|at)",
        "insert(ed)?_?(at|on|date)",
        "date",
        "day",
        "timestamp",
    ),
)
_AMOUNT_NAMES = (
    *("grand_?total", "total_?amount", "amount_?total", "order_?(total|amount)", "total_?paid"),
    *("total_?price", "total_?(incl|gross|with)\\w*", "gross_?(total|amount)", "total", "amount"),
    *("total_?paid_tax_incl", "paid_?amount", "price_?total", "price", "sum", "value", "net_total"),
    *("total_?sales", "revenue", "subtotal"),
)
_CUSTOMER_NAMES = (
    *("customer_?id", "id_?customer", "user_?id", "client_?id", "buyer_?id", "member_?id"),
    *(
        "(customer|member|user|client)_?(no|code|key)",
        "account_?id",
        "customer",
        "user",
        "buyer",
        "member",
        "customer_?(no|number|code)",
    ),
)
_MAIL_NAMES = ("customer_?e?_?mail", "buyer_?e?_?mail", "billing_?e?_?mail", "e_?mail\\w*")
_STATUS_NAMES = (
    *("status", "order_?status", "current_?state", "order_?status_?id", "status_?id", "state_?id"),
    *("order_?state", "state", "order_?state_?id", "(order_?)?status_?code"),
    # A shop has its money by the first of them.
    *("financial_?status", "fulfillment_?status"),
)
_STATUS_WORD_NAMES = ("name", "title", "label", r"(\w+_)?(status|state)_?(name|title|label)")
_QUANTITY_NAMES = (
    *(
        "quantity",
        "qty",
        "qty_?ordered",
        "order_?(qty|quantity)",
        "product_?(quantity|qty)",
        "amount_?ordered",
        "units",
    ),
    *("count", "pieces", "num", "number_?of_?items", "(quantity|qty)_?ordered"),
    *("\\w*_(quantity|qty)", "(quantity|qty)_\\w*"),
)
_LINE_AMOUNT_NAMES = (
    *("row_?total_?incl\\w*", "total_?price_?tax_?incl\\w*", "total_?incl\\w*", "line_?total"),
    *("row_?total", "total_?price", "product_?gross_?revenue", "total_?amount", "total"),
    *("(order_?)?amount",),
    *("gross_?\\w+", "line_?amount", "subtotal", "product_?net_?revenue", "net_?\\w+"),
)
_PRICE_NAMES = (
    "unit_?price_?\\w*incl\\w*",
    "unit_?price",
    "price",
    "product_?price",
    "item_?price",
    "price_?(each|per_?\\w+)",
    "(sales?|selling|sold|order|net|gross)_?price",
    "(?!(old|list|retail|buy|cost|purchase)_)\\w+_price",
)
_NAME_NAMES = (
    *("product_?name", "name", "title", "product_?title", "label", "item_?name", "description"),
)
_CODE_NAMES = ("sku", "model", "reference", "product_?(number|no|code)", "code")
"""What stands for a product's name where none is known."""
_LINE_PRODUCT_NAMES = (
    *("product_?id", "id_?product", "item_?id", "article_?id", "variant_?id", "goods_?id", "sku"),
    *("(product|item|good|variant)_?(code|sku|no|key)", "product", "stock_?code"),
)
_CURRENCY_NAMES = (
    *("(order_?)?currency(_code)?", "currency_?iso\\w*", "base_currency_code", "iso_code"),
)


class Look(Protocol):
    """What can be seen of the rows. Nothing where there is no source to look at."""

    def __call__(
        self, table: Table, columns: Sequence[str]
    ) -> Sequence[tuple[tuple[str | None, ...], int]]:
        """The commonest values of the columns, together."""


def nothing_seen(
    table: Table, columns: Sequence[str]
) -> Sequence[tuple[tuple[str | None, ...], int]]:
    """Of a shop whose rows nobody can look at."""
    return ()


def recognise(
    tables: Sequence[Table],
    choices: Choices,
    *,
    time_zone: str,
    currency: str,
    look: Look = nothing_seen,
) -> Shop:
    """What the tables of a shop are. `currency`: where nothing tells one. StartError: none has the orders."""
    reading = _Reading(tables, choices, look)
    orders = reading.orders()
    stages = reading.stages(orders)
    lines = reading.lines(orders)
    products = reading.products(lines) if lines else None
    if orders.amount is None and lines is None:
        raise StartError(
            f"{orders.table.name} has no column that is its amount, and no table has its lines: "
            f"--amount names a column ({', '.join(_names(orders.table, _MONEY)) or 'there is none'}); or "
            "--lines names the table of its lines, --line-order, --line-product, --line-quantity and "
            "--line-amount its columns"
        )
    return Shop(orders, stages, reading.currency(orders, currency), time_zone, lines, products)


def _scored(names: Iterable[str], patterns: Sequence[str]) -> list[tuple[float, str]]:
    """Names that fit one of the patterns, the first pattern highest; two points a place."""
    scored = []
    for name in names:
        for place, pattern in enumerate(patterns):
            as_it_is = re.fullmatch(pattern, name, re.IGNORECASE)
            bare = plain(name)
            if as_it_is or any(
                re.fullmatch(pattern, one) for one in (bare, bare.removesuffix("_cent"))
            ):
                scored.append((2.0 * (len(patterns) - place) + 0.5 * bool(as_it_is), name))
                break
    return scored


def _names(table: Table, kinds: frozenset[Kind]) -> list[str]:
    return [column.name for column in table.columns if column.type.kind in kinds]


class _Reading:
    def __init__(self, tables: Sequence[Table], choices: Choices, look: Look) -> None:
        self.tables, self.choices, self.look = tables, choices, look
        self.by_name = {table.name: table for table in tables}

    # ---- orders

    def orders(self) -> Orders:
        """The orders' table and its columns. StartError."""
        scored = [(score, t.name) for t in self.tables if (score := self._order_score(t)) > 0]
        scored = scored or [(s, t.name) for t in self.tables if (s := self._looks_like_orders(t))]
        name = self.choices.one(
            "orders", "which table has the orders", scored, [*self.by_name], margin=3
        )
        if name is None:
            self._say_why_undated()
            listed = ", ".join(sorted(self.by_name)[:20])
            raise StartError(
                "no table looks like the one that has the orders: --orders names it. There are "
                f"{listed or 'no contracts: `orderhe adopt` writes them'}"
            )
        table = self.by_name[name]
        days = _names(table, _DAYS)
        day = self.choices.one("day", f"which column is the day of {name}", self._days(table), days)
        if day is None:
            raise StartError(_without_a_day(table, days))
        money = _names(table, _MONEY)
        amount = self.choices.one(
            "amount",
            f"which column is the amount of an order in {name}",
            _scored(money, _AMOUNT_NAMES),
            money,
        )
        customer, customer_by = self._customer(table)
        status = self._status(table)
        status_by, names, key = self._status_names(table, status)
        return Orders(
            table,
            self._key(table),
            day,
            amount,
            customer,
            customer_by,
            status,
            status_by,
            names,
            key,
            self._currency_column(table),
            tuple(self._order_rules(table)),
        )

    def _say_why_undated(self) -> None:
        """StartError: a table is called like the orders, and its day is a text."""
        for table in self.tables:
            words = set(words_of(table.source_name))
            if "order" in words and not _SIDE_WORDS & words and not _names(table, _DAYS):
                raise StartError(_without_a_day(table, ()))

    def _order_score(self, table: Table) -> float:
        words = words_of(table.source_name)
        if not words:
            return 0
        score = 0.0
        if words[-1] == "order":
            score = 10
        elif "order" in words:
            score = 5
        elif {"sale", "purchase", "booking"} & set(words):
            score = 4
        elif "invoice" in words or "transaction" in words:
            score = 2
        else:
            return 0
        score -= 8 * len(_SIDE_WORDS & set(words) - {"invoice", "transaction"})
        score += 2 * bool(_scored(_names(table, _MONEY), _AMOUNT_NAMES))
        score += 2 * bool(self._days(table))
        score += 1 * bool(_scored(_names(table, _KEYS), _CUSTOMER_NAMES))
        score += 1 * bool(_scored(_names(table, _KEYS), _STATUS_NAMES))
        return score if self._days(table) else 0

    def _looks_like_orders(self, table: Table) -> float:
        """Where no table is called so: one that has a day, an amount, and whose it is or where it stands."""
        keys = _names(table, _KEYS)
        has = [
            self._days(table),
            _scored(_names(table, _MONEY), _AMOUNT_NAMES[:9]),
            _scored(keys, _CUSTOMER_NAMES) or _scored(keys, _STATUS_NAMES),
        ]
        return 1 + max(score for score, _ in has[0]) / 100 if all(has) and table.grain else 0

    def _key(self, table: Table) -> str:
        """The column that names an order; of several, the one that is not a version."""
        keys = [name for name in table.grain if "version" not in words_of(name)]
        if keys:
            return keys[0]
        found = _scored(
            table.column_names, ("id", "order_?id", "id_?order", "order_?(no|number)", "number")
        )
        if not found:
            raise StartError(
                f"{table.path}: the table has no key; @grain in the contract's header names one"
            )
        return max(found)[1]

    def _days(self, table: Table) -> list[tuple[float, str]]:
        """What may be the day of its rows: by its name, and what cuts it, whatever that is called."""
        if table.day_through:
            return []  # the day is its parent's: it has rows of orders, and is not the orders
        days = _names(table, _DAYS)
        scored = {name: score for score, name in _scored(days, _DAY_NAMES)}
        if table.partition in days:
            scored[table.partition] = 30 + scored.get(table.partition, 0)
        return [(score, name) for name, score in scored.items()]

    def _customer(self, table: Table) -> tuple[str | None, Lookup | None]:
        names = [c.name for c in table.columns if c.type.kind in _KEYS]
        scored = _scored(names, _CUSTOMER_NAMES)
        question = f"which column of {table.name} says who ordered"
        if not scored and "customer" not in self.choices.answers:
            found = self._customer_of_others(table)
            if found:
                return found.shown, found
            scored = _scored(_names(table, frozenset({"varchar"})), _MAIL_NAMES)
        return self.choices.one("customer", question, scored, names, margin=1), None

    def _customer_of_others(self, table: Table) -> Lookup | None:
        """A table of one row an order that has the customer: found by its keys."""
        for other in self.tables:
            mine = self._reference(other, table)
            customer = _scored(_names(other, _KEYS), _CUSTOMER_NAMES)
            if mine and customer and _is_one(other, mine) and other is not table:
                return Lookup(other, mine, self._key(table), max(customer)[1])
        return None

    def _reference(self, child: Table, parent: Table) -> str | None:
        """The column of a table that names a row of another: by a foreign key, or by its name."""
        if not parent.grain:
            return None
        key = self._key(parent)
        for foreign in child.foreign_keys:
            if foreign.parent == parent.name:
                pairs = dict(zip(foreign.parent_columns, foreign.columns, strict=False))
                return pairs.get(key) or foreign.columns[0]
        noun = words_of(parent.source_name)[-1] if words_of(parent.source_name) else parent.name
        wanted: tuple[str, ...] = (
            *(f"{noun}_?id", f"id_?{noun}", f"{noun}_?(no|number|key)", noun),
            rf"\w+_{noun}_?(id|no|number|key)",
        )
        if key.lower() != "id" and "entity" not in key.lower():
            wanted = (re.escape(key), *wanted)
        names = [
            column.name
            for column in child.columns
            if _alike(column, parent.column(key)) and (column.name,) != child.grain
        ]
        found = _scored(names, wanted)
        return max(found)[1] if found else None

    def _status(self, table: Table) -> str | None:
        names = [c.name for c in table.columns if c.type.kind in _KEYS]
        question = f"which column of {table.name} is its status"
        return self.choices.one("status", question, _scored(names, _STATUS_NAMES), names, margin=1)

    def _status_names(
        self, table: Table, status: str | None
    ) -> tuple[Lookup | None, Ref | None, str | None]:
        """Where the words of a status stand, if it is a key: to be joined for it, or to be read once."""
        if status is None or table.column(status).type.kind == "varchar":
            return None, None, None
        column = table.column(status)
        for foreign in table.foreign_keys:
            if status in foreign.columns and foreign.parent in self.by_name:
                parent = self.by_name[foreign.parent]
                place = foreign.columns.index(status)
                shown = _scored(
                    _names(parent, frozenset({"varchar"})),
                    ("technical_name", "code", "name", "label"),
                )
                if shown and foreign.parent_columns:
                    key = foreign.parent_columns[place]
                    if column.type.kind == "varbyte":
                        return Lookup(parent, key, status, max(shown)[1]), None, None
                    return None, Ref(parent, max(shown)[1]), key
        if column.type.kind == "varbyte":
            return None, None, None
        found = self._status_table(status)
        return (None, *found) if found else (None, None, None)

    def _status_table(self, status: str) -> tuple[Ref, str] | None:
        """The table of names of statuses that are numbers, with its key."""
        candidates: list[tuple[float, str, str, str]] = []
        for table in self.tables:
            words = set(words_of(table.source_name))
            names = _scored(_names(table, frozenset({"varchar"})), _STATUS_WORD_NAMES)
            if not ({"status", "state"} & words and names) or {"history", "log"} & words:
                continue
            keys = [
                name
                for name in table.column_names
                if name == status or {"status", "state"} & set(words_of(name))
            ]
            numbers = [n for n in keys if table.column(n).type.kind in _COUNTS]
            if numbers:
                score = 5 * (status in numbers) + 3 * ("order" in words) - len(words) / 10
                candidates.append((score, table.name, numbers[0], max(names)[1]))
        if not candidates:
            return None
        _, name, key, shown = max(candidates)
        return Ref(self.by_name[name], shown), key

    def _currency_column(self, table: Table) -> str | None:
        found = _scored(_names(table, frozenset({"varchar"})), _CURRENCY_NAMES)
        return max(found)[1] if found else None

    def _order_rules(self, table: Table) -> Iterator[Rule]:
        yield from systems.rules_of(table)
        if line := _line_number(table):
            yield Rule(line, "{column} = 1", "of the first line of each order")
        for column in table.columns:
            yield from _not_deleted(column)

    # ---- what a status means

    def stages(self, orders: Orders) -> Stages:
        """Which values of the status mean what, by those that are there, or that are usual."""
        found: dict[str, list[str]] = {}
        names = self._named_statuses(orders)
        values = self._statuses(orders, names)
        is_told = any(value in names or not value.isdigit() for value in values)
        if orders.status is not None and not is_told and "cancelled" not in self.choices.answers:
            self.choices.notes.append(
                f"nobody knows which values of {orders.table.name}.{orders.status} mean that an order was "
                "cancelled: none was taken for it; --cancelled and --returned name them (`6,8`)"
            )
        known = systems.stages_of(orders.table)
        for value in values:
            told = names.get(value, value)
            stage = known.get(value) or stage_of(told)
            if orders.status_names is not None and value == "0" and value not in names:
                stage = "drafts"  # no status at all: what was never finished
            if stage:
                found.setdefault(stage, []).append(value)
        stages = {
            stage: self.choices.words(flag, found.get(stage, ()))
            for stage, flag in (
                ("cancelled", "cancelled"),
                ("returned", "returned"),
                ("shipped", "shipped"),
                ("delivered", "delivered"),
                ("drafts", "not-orders"),
            )
        }
        return Stages(**stages, names=names)

    def _named_statuses(self, orders: Orders) -> dict[str, str]:
        names, key = orders.status_names, orders.status_key
        if names is None or key is None:
            return {}
        seen = self.look(names.table, [key, names.name])
        pairs = [(str(pair[0]), str(pair[1])) for pair, _ in reversed(seen) if None not in pair]
        return dict(sorted(pairs, key=lambda pair: (len(pair[0]), pair[0])))

    def _statuses(self, orders: Orders, names: dict[str, str]) -> list[str]:
        """The statuses that there are, or may be."""
        if orders.status is None:
            return []
        column = orders.table.column(orders.status)
        if orders.status_by is not None:
            seen = self.look(orders.status_by.table, [orders.status_by.shown])
        else:
            seen = self.look(orders.table, [orders.status])
        values = [*column.values, *names, *(str(v[0]) for v, _ in seen if v[0] is not None)]
        if column.type.kind == "varchar" or orders.status_by is not None:
            # What did not happen yet, such as a first refund, has its word all the same.
            values += [*systems.stages_of(orders.table), *systems.USUAL]
        return list(dict.fromkeys(values))

    # ---- lines and products

    def lines(self, orders: Orders) -> Lines | None:
        """The order lines' table and its columns; None where there is none."""
        scored = [
            (score, t.name) for t in self.tables if (score := self._line_score(t, orders)) > 0
        ]
        name = self.choices.one(
            "lines", "which table has the order lines", scored, [*self.by_name], margin=1
        )
        if name is None:
            return self._of_one_line(orders) if "lines" not in self.choices.answers else None
        table = self.by_name[name]
        order = self._reference(table, orders.table)
        keys, counts, money = _names(table, _KEYS), _names(table, _COUNTS), _names(table, _MONEY)
        order = self.choices.one(
            "line-order",
            f"which column of {name} names the order",
            [(1, order)] if order else [],
            keys,
        )
        product = self.choices.one(
            "line-product",
            f"which column of {name} names the product",
            _scored(keys, _LINE_PRODUCT_NAMES),
            keys,
        )
        quantity = self.choices.one(
            "line-quantity",
            f"which column of {name} is how many",
            _scored(counts, _QUANTITY_NAMES),
            counts,
        )
        if order is None or product is None:
            return None
        amount = self.choices.one(
            "line-amount",
            f"which column of {name} is the amount of a line",
            _scored([n for n in money if n != quantity], _LINE_AMOUNT_NAMES),
            money,
            margin=1,
        )
        price = _scored([n for n in money if n != amount], _PRICE_NAMES)
        if amount is None and not price:
            self.choices.notes.append(
                f"{name} has no column that is the amount or the price of a line, so no mart tells of "
                f"products; --line-amount names one ({', '.join(money)})"
            )
            return None
        texts = _names(table, frozenset({"varchar"}))
        shown = _scored(texts, _NAME_NAMES)
        return Lines(
            table,
            order,
            product,
            quantity,
            amount,
            max(price)[1] if price else None,
            max(shown)[1] if shown else None,
            tuple(self._line_rules(table)),
        )

    def _of_one_line(self, orders: Orders) -> Lines | None:
        """The orders' own table, where an order is of one product."""
        table = orders.table
        product = _scored(
            _names(table, _KEYS), (*_LINE_PRODUCT_NAMES, "product_?(name|title)", "item_?name")
        )
        quantity = _scored(_names(table, _COUNTS), _QUANTITY_NAMES)
        if not product or not quantity or orders.amount is None:
            return None
        price = _scored(_names(table, _MONEY), _PRICE_NAMES)
        if (is_of_lines := _line_number(table) is not None) and not price:
            return None  # the order's amount stands on each of its lines
        shown = _scored(_names(table, frozenset({"varchar"})), ("product_?name", "product_?title"))
        return Lines(
            table,
            orders.key,
            max(product)[1],
            max(quantity)[1],
            None if is_of_lines else orders.amount,
            max(price)[1] if is_of_lines else None,
            name=max(shown)[1] if shown else None,
        )

    def _line_score(self, table: Table, orders: Orders) -> float:
        if table is orders.table or not (order := self._reference(table, orders.table)):
            return 0
        words = set(words_of(table.source_name))
        product = _scored(_names(table, _KEYS), _LINE_PRODUCT_NAMES)
        quantity = _scored(_names(table, _COUNTS), _QUANTITY_NAMES)
        if not product or max(product)[1] == order:
            return 0
        # Where each piece is a row of its own, there is a price and no number of pieces.
        is_piece = words & {"item", "line", "detail", "position"} and _scored(
            _names(table, _MONEY), _PRICE_NAMES
        )
        if not quantity and not is_piece:
            return 0
        strange = {
            "return",
            "refund",
            "cart",
            "quote",
            "wishlist",
            "invoice",
            "shipment",
            "history",
        }
        score = (10.0 if quantity else 4.0) - 8 * len(words & strange)
        score += 3 * len(words & {"item", "line", "detail", "product", "position"})
        score += 2 * bool(_scored(_names(table, _MONEY), _LINE_AMOUNT_NAMES))
        score += 2 * any(key.parent == orders.table.name for key in table.foreign_keys)
        return score

    def _line_rules(self, table: Table) -> Iterator[Rule]:
        yield from systems.rules_of(table)
        for column in table.columns:
            if re.fullmatch(r"parent_item_id", column.name, re.IGNORECASE):
                yield Rule(column.name, "{column} is null", "that are no part of another line")
            yield from _not_deleted(column)

    def products(self, lines: Lines) -> Products | None:
        """Where names and categories of products stand; None where no table has them."""
        scored = []
        for table in self.tables:
            words = words_of(table.source_name)
            joined = any(
                key.parent == table.name and lines.product in key.columns
                for key in lines.table.foreign_keys
            )
            if table is lines.table or not table.grain:
                continue
            core = [word for word in words if word not in ("entity", "catalog", "table")]
            beside = {"category", "cart", "quote", "special", "order", "review", "wishlist"}
            named = core[-1:] and core[-1] in ("product", "variant", "item")
            is_meant = named and core[-1] in words_of(lines.product)
            if joined or (is_meant and not beside & set(words)):
                key = self._key(table)
                if _is_one(table, key) and _alike(
                    table.column(key), lines.table.column(lines.product)
                ):
                    scored.append((10.0 * joined + 5 - len(words) / 10, table.name))
        known = systems.product_names(self.tables, lines)
        if not scored and known is not None:
            return known
        name = self.choices.one(
            "products", "which table has the products", scored, [*self.by_name], margin=0
        )
        if name is None:
            return None
        table = self.by_name[name]
        texts = _names(table, frozenset({"varchar"}))
        shown = _scored(texts, (*_NAME_NAMES[:4], *_CODE_NAMES))
        category, by = self._category(table)
        return Products(table, self._key(table), max(shown)[1] if shown else None, category, by)

    def _category(self, products: Table) -> tuple[str | None, Lookup | None]:
        texts = _scored(
            _names(products, frozenset({"varchar"})),
            ("category(_name)?", "department", "product_?(line|type|group|category)"),
        )
        if texts:
            return max(texts)[1], None
        keys = _scored(
            _names(products, _KEYS), ("category_?id", "id_?category(_default)?", "(main_)?category")
        )
        if not keys:
            return None, None
        mine = max(keys)[1]
        for table in sorted(self.tables, key=lambda table: len(table.name)):
            words = words_of(table.source_name)
            names = _scored(_names(table, frozenset({"varchar"})), ("name", "title", "label"))
            if "category" not in words or not names or "product" in words:
                continue
            key = next(
                (
                    name
                    for name in table.grain
                    if name.lower() == "id" or "category" in words_of(name)
                ),
                None,
            )
            if key and _alike(table.column(key), products.column(mine)):
                return mine, Lookup(table, key, mine, max(names)[1])
        return None, None

    # ---- money

    def currency(self, orders: Orders, otherwise: str) -> str:
        """The currency of the amounts, as three letters."""
        if "currency" in self.choices.answers:
            return self.choices.answers["currency"].upper()
        for table, column in self._currency_columns(orders):
            default = (table.column(column).default or "").strip("'\"")
            seen = [str(v[0]) for v, _ in self.look(table, [column]) if v[0]]
            for text in [*seen[:1], default]:
                if re.fullmatch(r"[A-Z]{3}", text):
                    if len(set(seen)) > 1:
                        listed = ", ".join(sorted(set(seen))[:4])
                        self.choices.notes.append(
                            f"{table.name}.{column} has {listed}: amounts are added up as if all were "
                            f"{text}; --currency names another"
                        )
                    return text
        self.choices.notes.append(
            f"no column tells the currency: {otherwise} is taken; --currency names another"
        )
        return otherwise

    def _currency_columns(self, orders: Orders) -> Iterator[tuple[Table, str]]:
        if orders.currency:
            yield orders.table, orders.currency
        for table in self.tables:
            if words_of(table.source_name)[-1:] == ("currency",):
                found = _scored(_names(table, frozenset({"varchar"})), ("iso_code", "code", "iso"))
                if found:
                    yield table, max(found)[1]


def _alike(one: Column, other: Column) -> bool:
    """Whether values of two columns may be keys of one kind."""
    numbers = ("smallint", "integer", "bigint", "decimal")
    return one.type.kind == other.type.kind or {one.type.kind, other.type.kind} <= {*numbers}


def _line_number(table: Table) -> str | None:
    """The column that numbers the lines of an order, where an order is several rows of its table."""
    if len(table.grain) < 2:
        return None
    found = _scored(table.grain, (r"line_?(no|number)",))
    return found[0][1] if found else None


def _without_a_day(table: Table, days: Sequence[str]) -> str:
    """What is in the way where the orders have no day, and what mends it."""
    if days:
        return (
            f"{table.name} has no column that is the day of an order: --day names it "
            f"({', '.join(days)})"
        )
    texts = _names(table, frozenset({"varchar", "integer", "bigint"}))
    named = max(_scored(texts, _DAY_NAMES), default=(0, None))[1]
    if named is None:
        return (
            f"{table.name}, whose name is that of the orders, has no date and no time: an order needs a "
            "day; --orders names another table"
        )
    source, kind = table.source_name.replace("`", "``"), table.column(named).type.declared
    return (
        f"{table.name}.{named} looks like the day of an order, and is {kind}, no "
        f"date: let the shop's database have it as one, with alter table `{source}` add column "
        f"`{named}_day` date generated always as (cast(`{named}` as date)) stored, then "
        "orderhe adopt --force, then orderhe start; --orders names another table"
    )


def _is_one(table: Table, name: str) -> bool:
    """Whether a value of a column names one row of the table, versions of the row apart."""
    return any(
        name in key and all(other == name or "version" in words_of(other) for other in key)
        for key in (table.grain, *table.unique)
    )


def _not_deleted(column: Column) -> Iterator[Rule]:
    """The condition that a row was not marked as deleted, where the column is such a mark."""
    why, kind = "that were not deleted", column.type.kind
    if re.fullmatch(r"deleted_?(at|on)|date_deleted", column.name, re.IGNORECASE):
        yield Rule(column.name, "{column} is null", why)
    elif re.fullmatch(
        r"(is_?)?deleted(_?(yn|flag|flg))?|del(ete)?_?(yn|flag|flg)", column.name, re.IGNORECASE
    ):
        if kind == "boolean":
            yield Rule(column.name, "not coalesce({column}, false)", why)
        elif kind in _COUNTS:
            yield Rule(column.name, "coalesce({column}, 0) = 0", why)
        elif kind == "varchar":
            listed = "'Y', 'YES', '1', 'T', 'TRUE'"
            yield Rule(column.name, f"coalesce(upper({{column}}), '') not in ({listed})", why)
        elif kind in _DAYS:
            yield Rule(column.name, "{column} is null", why)


def rules_of_joined(table: Table) -> tuple[Rule, ...]:
    """The conditions that rows of a joined table must meet to count."""
    return tuple(rule for rule in systems.rules_of(table) if rule.column == "version_id")
