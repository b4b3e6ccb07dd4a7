"""The models that the marts are made of: a shop's orders and lines in one form. The marts: `marts`."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from orderhe_dagster.catalog.table import DAY_COLUMN, Column, Table
from orderhe_dagster.intake.start import sql_words as sql
from orderhe_dagster.intake.start.recognise import rules_of_joined
from orderhe_dagster.intake.start.roles import Lines, Shop, Stages

WIDTH = 118
_STAGES = ("cancelled", "returned", "delivered", "shipped")


@dataclass(frozen=True)
class Models:
    """The models of a shop: what they are called, and which of them is cut into days."""

    shop: Shop
    orders: str
    lines: str

    @property
    def day(self) -> Column:
        """The column that is the orders' day."""
        return self.shop.orders.table.column(self.shop.orders.day)

    @property
    def is_daily(self) -> bool:
        """Whether a day of the orders can be built alone: its column cuts them, and tells the shop's day."""
        orders = self.shop.orders
        is_day = not sql.is_in_utc(self.day)
        is_cut = orders.table.partition == orders.day and is_day and not self.day.nullable
        joined = [by.table for by in (orders.customer_by, orders.status_by) if by is not None]
        if orders.amount is None and self.shop.lines is not None:
            joined.append(self.shop.lines.table)
        return is_cut and all(self._follows(table) for table in joined)

    @property
    def lines_are_daily(self) -> bool:
        """Whether a day of the lines can be built alone."""
        return (
            self.is_daily and self.shop.lines is not None and self._follows(self.shop.lines.table)
        )

    def _follows(self, table: Table) -> bool:
        """Whether a table has no days, or those of the orders."""
        if table is self.shop.orders.table:
            return True
        orders = self.shop.orders
        through = [(step.parent.name, step.parent.partition) for step in table.day_through]
        return table.partition is None or through[-1:] == [(orders.table.name, orders.day)]

    def same_day(self, alias: str, table: Table, day: str) -> str:
        """The condition that a table cut by the orders' days is joined on, too; nothing of another."""
        return (
            f"\n    and {alias}.{DAY_COLUMN} = {day}" if table.day_through and self.is_daily else ""
        )


def taken(shop: Shop) -> str:
    """Which column was taken for what, in a sentence or two."""
    orders = shop.orders
    what = [f"the day is {orders.day}"]
    what.append(
        f"the amount {_with_unit(orders.table, orders.amount)}"
        if orders.amount
        else "the amount that of its lines"
    )
    if orders.customer:
        whose = orders.customer_by.table.name + "." if orders.customer_by else ""
        what.append(f"the customer {whose}{orders.customer}{_hidden(shop)}")
    if orders.status:
        by = orders.status_by
        told = f", told by {by.table.name}.{by.shown}" if by else ""
        what.append(f"the status {orders.status}{told}")
    text = f"An order is a row of {orders.table.name}: {', '.join(what)}."
    if orders.rules:
        text += f" Taken are only rows {' and '.join(rule.why for rule in orders.rules)}."
    return text


def _with_unit(table: Table, name: str) -> str:
    return f"{name} (in cents)" if sql.is_in_cents(table.column(name)) else name


def customer_column(shop: Shop) -> Column | None:
    """The column that says who ordered."""
    orders = shop.orders
    if orders.customer is None:
        return None
    return (orders.customer_by.table if orders.customer_by else orders.table).column(
        orders.customer
    )


def _hidden(shop: Shop) -> str:
    column = customer_column(shop)
    return " (as a SHA-256 of it)" if column is not None and sql.is_personal(column) else ""


def taken_of_lines(shop: Shop, lines: Lines) -> str:
    """The same of the lines."""
    pieces = lines.quantity or "one a line"
    what = (
        f"order {lines.order}, product {lines.product}, pieces {pieces}, amount {_total_of(lines)}"
    )
    text = f"A line is a row of {lines.table.name}: {what}"
    name = _name_of(shop, lines)
    if name:
        text += f", name {name}"
    if shop.products and shop.products.category:
        by = shop.products.category_by
        told = (
            f"{by.table.name}.{by.shown}"
            if by
            else f"{shop.products.table.name}.{shop.products.category}"
        )
        text += f", category {told}"
    rules = lines.rules
    return (
        text
        + "."
        + (f" Taken are only lines {' and '.join(r.why for r in rules)}." if rules else "")
    )


def _total_of(lines: Lines) -> str:
    """What the amount of a line is, in words."""
    if lines.amount or lines.price:
        amount = _with_unit(lines.table, lines.amount or lines.price or "")
        return amount if lines.amount or not lines.quantity else f"{amount} x {lines.quantity}"
    return "0"


def _name_of(shop: Shop, lines: Lines) -> str:
    if lines.name:
        return f"{lines.table.name}.{lines.name}"
    return (
        f"{shop.products.table.name}.{shop.products.name}"
        if shop.products and shop.products.name
        else ""
    )


def comment(*paragraphs: str) -> str:
    """Prose as the comment on top of a file, wrapped."""
    lines = [line for text in paragraphs if text for line in textwrap.wrap(text, WIDTH - 3)]
    return "\n".join(f"-- {line}" for line in lines)


def told_stages(stages: Stages) -> str:
    """Which statuses were taken for what."""
    parts = []
    for stage in _STAGES:
        values = getattr(stages, stage)
        if values:
            parts.append(f"{stage}: {', '.join(_with_name(value, stages) for value in values)}")
    if stages.drafts:
        parts.append(
            f"no orders: {', '.join(_with_name(value, stages) for value in stages.drafts)}"
        )
    return f"Statuses: {'; '.join(parts)}; all others wait." if parts else ""


def _with_name(value: str, stages: Stages) -> str:
    return f"{value} ({stages.names[value]})" if value in stages.names else value


def orders_sql(models: Models) -> str:
    """The file of the orders' model."""
    shop, orders = models.shop, models.shop.orders
    table = orders.table
    joins: list[str] = []
    parts = [_cte("orders", table, ())]
    where = sql.conditions("orders", orders.rules)
    status = None
    day = sql.day_of("orders", models.day, shop.time_zone)
    if orders.status_by is not None:
        by = orders.status_by
        parts.append(_cte("states", by.table, rules_of_joined(by.table)))
        on = f"{sql.column('orders', by.by)} = {sql.column('states', by.key)}"
        joins.append(f"left join states on {on}{models.same_day('states', by.table, day)}")
        status = sql.status_of("states", by.table.column(by.shown))
    elif orders.status is not None:
        status = sql.status_of("orders", table.column(orders.status))
    customer = None
    if orders.customer is not None:
        owner = orders.customer_by.table if orders.customer_by else table
        alias = "customers" if orders.customer_by else "orders"
        customer = sql.person_of(alias, owner.column(orders.customer))
    if orders.customer_by is not None:
        link = orders.customer_by
        parts.append(_cte("customers", link.table, rules_of_joined(link.table)))
        on = f"{sql.column('orders', link.by)} = {sql.column('customers', link.key)}"
        joins.append(f"left join customers on {on}{models.same_day('customers', link.table, day)}")
    if orders.amount is not None:
        amount = sql.number_of(sql.column("orders", orders.amount), table.column(orders.amount))
    else:
        assert shop.lines is not None  # `recognise` sees to it
        parts.append(_totals(models, shop.lines))
        on = f"{sql.column('orders', orders.key)} = totals.order_id"
        joins.append(f"left join totals on {on}{models.same_day('totals', shop.lines.table, day)}")
        amount = f"coalesce(totals.amount, 0)::{line_sum_type(shop.lines)}"
    if status is not None and shop.stages.drafts:
        listed = ", ".join(map(sql.text_literal, shop.stages.drafts))
        where.append(f"coalesce({status}, '') not in ({listed})")
    total = orders.amount or "the sum of its lines"
    columns = [
        _column(sql.key_of("orders", table.column(orders.key)), "order_id", f"Key: {orders.key}"),
        _column(day, "order_date", f"Day of the order: {orders.day}{_zone(models)}"),
        _column(customer, "customer_id", f"Who ordered: {orders.customer}; NULL: no account"),
        _column(amount, "amount", f"Amount of the order, in {shop.currency}: {total}"),
        _column(status, "status", f"The shop's own status: {orders.status}"),
        _column(
            _stage(status, shop.stages), "stage", "How far it has come; waiting: none of these"
        ),
    ]
    head = comment(
        "The shop's orders in one form, which the marts are made of. One row an order.",
        taken(shop),
        told_stages(shop.stages),
        "Written by `orderhe start`: change what it took for what here, and all marts follow.",
    )
    keys = ["-- @partition order_date"] if models.is_daily else []
    return _file(head, [*keys, "-- @grain order_id"], parts, columns, "orders", joins, where)


def lines_sql(models: Models) -> str:
    """The file of the lines' model."""
    shop, lines = models.shop, models.shop.lines
    assert lines is not None
    table, orders = lines.table, shop.orders
    parts = [
        f"orders as (\n    select * from warehouse.{models.orders}\n)",
        _cte("lines", table, lines.rules),
    ]
    mine = sql.column("lines", lines.order)
    if orders.table.column(orders.key).type.kind == "varbyte":
        mine = sql.key_of("lines", table.column(lines.order))
    joins = [f"inner join lines on {mine} = orders.order_id"]
    if models.lines_are_daily and table.day_through:
        joins[0] += f"\n    and lines.{DAY_COLUMN} = orders.order_date"
    elif models.lines_are_daily and table is orders.table:
        day = sql.day_of("lines", models.day, shop.time_zone)
        joins[0] += f"\n    and {day} = orders.order_date"
    name = sql.column("lines", lines.name) if lines.name else None
    category = None
    products = shop.products
    if products is not None and (products.category or (name is None and products.name)):
        parts.append(_cte("products", products.table, rules_of_joined(products.table)))
        key = sql.column("products", products.key)
        joins.append(f"left join products on {sql.column('lines', lines.product)} = {key}")
        if name is None and products.name:
            name = sql.column("products", products.name)
        if products.category_by is not None:
            by = products.category_by
            parts.append(_categories(by.table, by.key, by.shown))
            joins.append(
                f"left join categories on {sql.column('products', by.by)} = categories.category_id"
            )
            category = "categories.category"
        elif products.category:
            category = sql.column("products", products.category)
    product = sql.key_of("lines", table.column(lines.product), may_be_none=True)
    pieces = "1::bigint"
    if lines.quantity is not None:
        pieces = sql.number_of(sql.column("lines", lines.quantity), table.column(lines.quantity))
    customer = "orders.customer_id" if orders.customer is not None else None
    columns = [
        _column("orders.order_id", "", "Key of the order"),
        _column("orders.order_date", "", "Day of the order"),
        _column(customer, "", "Who ordered; NULL: no account"),
        _column("orders.stage", "", "How far the order has come"),
        _column(product, "product_id", f"Product: {lines.product}; NULL: none"),
        _column(name, "product_name", f"Name: {_name_of(shop, lines)}"),
        _column(category, "category", "Category of the product"),
        _column(pieces, "quantity", f"Pieces: {lines.quantity or 'one a line'}"),
        _column(
            line_amount(lines),
            "amount",
            f"Amount of the line, in {shop.currency}: {_total_of(lines)}",
        ),
    ]
    head = comment(
        f"The lines of the orders of warehouse.{models.orders} in one form, which the marts are made of.",
        taken_of_lines(shop, lines),
        "Written by `orderhe start`: change what it took for what here, and all marts follow.",
    )
    keys = ["-- @partition order_date"] if models.lines_are_daily else []
    return _file(head, keys, parts, columns, "orders", joins, [])


def _column(value: str | None, name: str, meaning: str) -> tuple[str, str] | None:
    """A column and its description; None where there is none."""
    return None if value is None else (f"{value} as {name}" if name else value, meaning)


def line_amount(lines: Lines) -> str:
    """The amount of a line."""
    if lines.amount is not None:
        return sql.number_of(sql.column("lines", lines.amount), lines.table.column(lines.amount))
    if lines.price is None:
        return "0::bigint"
    factors = [lines.table.column(name) for name in (lines.price, lines.quantity) if name]
    product = " * ".join(sql.number_of(sql.column("lines", one.name), one) for one in factors)
    return f"({product})::{line_sum_type(lines)}"


def line_sum_type(lines: Lines) -> str:
    """The type of a sum of lines' amounts."""
    if lines.amount is not None:
        return sql.sum_type(lines.table.column(lines.amount))
    numbers = [lines.table.column(name) for name in (lines.price, lines.quantity) if name]
    places = [sql.places_of(number) for number in numbers]
    known = [place for place in places if place is not None]
    return sql.sum_of_places(sum(known) if known else None)


def _zone(models: Models) -> str:
    return f", in {models.shop.time_zone}" if sql.is_in_utc(models.day) else ""


def _stage(status: str | None, stages: Stages) -> str:
    if status is None:
        return "'waiting'::varchar(10)"
    arms = [
        f"when {status} in ({', '.join(map(sql.text_literal, getattr(stages, stage)))}) then '{stage}'"
        for stage in _STAGES
        if getattr(stages, stage)
    ]
    if not arms:
        return "'waiting'::varchar(10)"
    listed = "\n        ".join([*arms, "else 'waiting'"])
    return f"case\n        {listed}\n    end::varchar(10)"


def _cte(alias: str, table: Table, rules: Sequence[object]) -> str:
    where = sql.conditions(sql.named(table.name), rules) if rules else []  # type: ignore[arg-type]
    conditions = f"\n    where {' and '.join(where)}" if where else ""
    return f"{alias} as (\n    select * from {sql.relation(table)}{conditions}\n)"


def _totals(models: Models, lines: Lines) -> str:
    where = sql.conditions("lines", lines.rules)
    day = f",\n        lines.{DAY_COLUMN}" if lines.table.day_through and models.is_daily else ""
    by = f", lines.{DAY_COLUMN}" if day else ""
    conditions = f"\n    where {' and '.join(where)}" if where else ""
    order = sql.column("lines", lines.order)
    return (
        f"totals as (\n    select\n        {order} as order_id{day},\n"
        f"        sum({line_amount(lines)})::{line_sum_type(lines)} as amount\n"
        f"    from {sql.relation(lines.table)} as lines{conditions}\n    group by {order}{by}\n)"
    )


def _categories(table: Table, key: str, shown: str) -> str:
    """The names of categories, one each: of several languages, the last of the alphabet."""
    return (
        f"categories as (\n    select\n        {sql.named(key)} as category_id,\n"
        f"        max({sql.named(shown)}) as category\n"
        f"    from {sql.relation(table)}\n    group by {sql.named(key)}\n)"
    )


def _file(
    head: str,
    keys: Sequence[str],
    parts: Sequence[str],
    columns: Sequence[tuple[str, str] | None],
    source: str,
    joins: Sequence[str],
    where: Sequence[str],
) -> str:
    there = [column for column in columns if column is not None]
    listed = (
        f"    {text}{'' if place == len(there) else ','} -- {meaning}"
        for place, (text, meaning) in enumerate(there, 1)
    )
    conditions = ["where " + "\n    and ".join(where)] if where else []
    ctes = ["with " + ",\n\n".join(parts), ""]
    lines = [head, *keys, *ctes, "select", *listed, f"from {source}", *joins, *conditions, ""]
    return "\n".join(lines)
