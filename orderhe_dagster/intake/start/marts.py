"""Every file that `orderhe start` writes: models, and marts, exports, checks and examples from templates.

A template's line that begins with `?word|` stands only where that word holds of the shop, one with `?!word|`
where it does not. Which marts can be told: `MARTS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template

from orderhe_dagster.intake.start import models as model_files
from orderhe_dagster.intake.start import sql_words as sql
from orderhe_dagster.intake.start.models import Models
from orderhe_dagster.intake.start.roles import Shop

TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Mart:
    """A mart: the words that must hold of a shop for it, and the order of its export."""

    needs: tuple[str, ...]
    order: str
    checks: tuple[str, ...] = ()


MARTS: Mapping[str, Mart] = {
    "daily_sales": Mart((), "order_date", ("net_is_gross_less_losses",)),
    "monthly_sales": Mart((), "order_month", ("days_add_up",)),
    "order_status": Mart(
        ("status",), "order_date, status, stage", ("holds_every_order_of_the_day",)
    ),
    "order_funnel": Mart(("cancelled",), "order_date", ("every_order_is_placed",)),
    "daily_customers": Mart(("customers",), "order_date"),
    "customer_value": Mart(("customers",), "customer_id"),
    "customer_segments": Mart(("customers",), "segment", ("are_those_of_customer_value",)),
    "cohort_retention": Mart(
        ("customers",), "cohort_month, month_number", ("month_zero_retains_everybody",)
    ),
    "product_sales": Mart(
        ("lines",), "net_amount desc, product_id", ("net_is_no_more_than_gross",)
    ),
    "category_sales": Mart(
        ("lines", "category"), "order_date, category", ("has_the_days_of_daily_sales",)
    ),
    "product_pairs": Mart(("lines", "named"), "product_id, other_product_id", ("stand_once",)),
}
"""The marts that there are, by name."""


def facts_of(models: Models) -> set[str]:
    """The words that hold of a shop."""
    shop = models.shop
    stages, lines, products = shop.stages, shop.lines, shop.products
    amount, customer = places_of_amount(shop), model_files.customer_column(shop)
    holds = {
        "daily": models.is_daily,
        "lines_daily": models.lines_are_daily,
        "undated": models.day.nullable,
        "status": shop.orders.status is not None,
        "customer": customer is not None,
        "customers": customer is not None and not customer.pii,
        "cancelled": bool(stages.cancelled),
        "returned": bool(stages.returned),
        "shipped": bool(stages.shipped),
        "delivered": bool(stages.delivered),
        "lines": lines is not None,
        "named": lines is not None and bool(lines.name or (products and products.name)),
        "category": products is not None and products.category is not None,
        "cents": amount is not None,
        "whole": amount is None,
    }
    facts = {word for word, is_so in holds.items() if is_so}
    losses = {"cancelled", "returned"} & facts
    facts.add({0: "neither", 2: "both"}.get(len(losses)) or f"only_{losses.pop()}")
    return facts


def places_of_amount(shop: Shop) -> int | None:
    """How many places an order's amount has; None: whole numbers."""
    text = money_type(shop)
    return None if text == "bigint" else int(text.rpartition(",")[2].strip(" )"))


def money_type(shop: Shop) -> str:
    """The type of a sum of orders' amounts."""
    if shop.orders.amount is not None:
        return sql.sum_type(shop.orders.table.column(shop.orders.amount))
    assert shop.lines is not None
    return model_files.line_sum_type(shop.lines)


def files_of(models: Models) -> dict[str, str]:
    """Every file by its path below the folder of SQL."""
    facts, shop = facts_of(models), models.shop
    files = {f"warehouse/{models.orders}.sql": model_files.orders_sql(models)}
    if shop.lines is not None:
        files[f"warehouse/{models.lines}.sql"] = model_files.lines_sql(models)
    words = _words(models, facts)
    for name, mart in MARTS.items():
        if not set(mart.needs) <= facts:
            continue
        text = rendered(f"mart/{name}.sql", words, facts)
        files[f"mart/{name}.sql"] = text
        files[f"export/{name}.sql"] = _export(name, text, mart, facts)
        files[f"examples/mart/{name}.md"] = rendered(f"examples/{name}.md", words, facts)
        for claim in mart.checks:
            files[f"checks/mart/{name}__{claim}.sql"] = rendered(
                f"checks/{name}__{claim}.sql", words, facts
            )
    return files


def rendered(name: str, words: Mapping[str, str], facts: set[str]) -> str:
    """A template with its words filled in and the lines that do not hold left out."""
    kept = []
    for line in (TEMPLATES / name).read_text("utf-8").splitlines():
        if line.startswith("?"):
            condition, _, text = line[1:].partition("|")
            wanted = not condition.startswith("!")
            if (condition.lstrip("!") in facts) is not wanted:
                continue
            line = text  # noqa: PLW2901
        kept.append(line)
    text = Template("\n".join(kept)).substitute(words)
    return _wrapped(text) + "\n"


def _wrapped(text: str) -> str:
    """The prose on top of a file, wrapped where a word made it long."""
    lines = text.splitlines()
    head = 0
    while (
        head < len(lines) and lines[head].startswith("-- ") and not lines[head].startswith("-- @")
    ):
        head += 1
    if not head:
        return text
    prose = model_files.comment(" ".join(line[3:] for line in lines[1:head]))
    return "\n".join([lines[0], *([prose] if prose else []), *lines[head:]])


def _words(models: Models, facts: set[str]) -> dict[str, str]:
    shop = models.shop
    losses = {
        "both": (
            "Net leaves out cancelled and returned orders.",
            "Amount less cancelled and returned orders",
        ),
        "only_cancelled": ("Net leaves out cancelled orders.", "Amount less cancelled orders"),
        "only_returned": ("Net leaves out returned orders.", "Amount less returned orders"),
        "neither": (
            "Nothing tells which orders were cancelled, so net is all of them.",
            "Amount of all orders: nothing tells which were cancelled",
        ),
    }
    net, net_column = next(losses[fact] for fact in losses if fact in facts)
    instant = sql.is_in_utc(models.day)
    lines = shop.lines
    return {
        "orders": models.orders,
        "lines": models.lines,
        "currency": shop.currency,
        "money": money_type(shop),
        "line_money": model_files.line_sum_type(lines) if lines else "bigint",
        "count": (
            sql.sum_type(lines.table.column(lines.quantity))
            if lines and lines.quantity
            else "bigint"
        ),
        "net": net,
        "net_column": net_column,
        "zone": f", in {shop.time_zone}" if instant else "",
        "taken": f"Made of warehouse.{models.orders}. {model_files.taken(shop)}",
    }


def _export(name: str, mart: str, wanted: Mart, facts: set[str]) -> str:
    from sqlglot import parse_one

    columns = parse_one(mart, dialect="redshift").named_selects  # type: ignore[attr-defined]
    title = mart.splitlines()[0].removeprefix("-- ").rstrip(".")
    grain = next(line for line in mart.splitlines() if line.startswith("-- @grain"))
    listed = ",\n".join(f"    {name}.{column}" for column in columns)
    order = ", ".join(f"{name}.{part.strip()}" for part in wanted.order.split(","))
    return (
        f"-- {title}: for BI tools and the dashboard. All of mart.{name}.\n{grain}\n"
        f"select\n{listed}\nfrom mart.{name}\norder by {order};\n"
    )
