"""The contracts of the six shop systems' schemas as `orderhe adopt` writes them, without a server."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path

from orderhe_dagster.catalog.reader import read_catalogue
from orderhe_dagster.catalog.table import Catalogue
from orderhe_dagster.intake.adopt.contract_text import contract_of
from orderhe_dagster_tests.intake.shops_of_others.shop import SCHEMAS

ORDER_DAYS = {
    "woocommerce": ("wp_wc_orders", "date_created_gmt"),
    "prestashop": ("ps_orders", "date_add"),
    "opencart": ("oc_order", "date_added"),
    "magento": ("sales_order", "created_at"),
    "shopware": ("order", "order_date"),
    "laravel": ("orders", "created_at"),
}
"""The table of the orders of each system, and the column that cuts it into days."""
_NAME = re.compile(r"create table (`[^`]+`|\w+) \(")


def contracts(
    system: str, headers: Mapping[str, str] = {}, only: Collection[str] = ()
) -> dict[str, str]:
    """The contracts of a system by the paths of their files; the orders are cut into days.

    Tables whose names are no file's are left out, and where `only` names some, all others. `headers`: more
    keys, by table.
    """
    table, day = ORDER_DAYS[system]
    statements = {
        found[1].strip("`"): text[found.start() :]
        for text in (SCHEMAS / f"{system}.sql").read_text("utf-8").split(";\n")
        if (found := _NAME.search(text))
    }
    names = {name for name in only or statements if re.fullmatch(r"[a-z0-9_]+", name)}
    keys = {table: f"-- @partition {day}\n", **headers}
    return {
        f"raw/{name}.sql": f"{keys.get(name, '')}{contract_of(name, name, statements[name], names).body};\n"
        for name in names
    }


def write(folder: Path, files: Mapping[str, str]) -> Path:
    """Write files below a folder."""
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, "utf-8", newline="\n")
    return folder


def catalogue_of(folder: Path, system: str) -> Catalogue:
    """The catalogue of a system's contracts, written to a folder."""
    return read_catalogue(write(folder, contracts(system)))
