"""What an export's columns mean, as Frictionless Data Package 2.0 has it. Says nothing of the rows there are.

Names and types: https://datapackage.org/standard/table-schema/ and …/standard/data-package/.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from orderhe_dagster.catalog import types
from orderhe_dagster.catalog.table import Column, Kind, Table
from orderhe_dagster.rendering.csv_files import cell

_PROFILE = "https://datapackage.org/profiles/2.0/{}.json"
_TYPES: dict[Kind, str] = {
    "boolean": "boolean",
    "smallint": "integer",
    "integer": "integer",
    "bigint": "integer",
    "decimal": "number",
    "real": "number",
    "double": "number",
    "date": "date",
    "timestamp": "datetime",
    "varchar": "string",
    "varbyte": "string",  # its bytes in hexadecimal digits
}


def table_schema(table: Table) -> dict[str, Any]:
    """The Table Schema of an export's CSV: its columns in order, what is unique, what empty means."""
    schema: dict[str, Any] = {
        "$schema": _PROFILE.format("tableschema"),
        "fields": [_field(table, column) for column in table.columns],
        "missingValues": [""],
    }
    if table.grain:
        schema["primaryKey"] = list(table.grain)
    return schema


def data_package(tables: Iterable[Table]) -> dict[str, Any]:
    """The descriptor of a folder of exports; each schema is named as the file beside the CSV."""
    return {
        "$schema": _PROFILE.format("datapackage"),
        "name": "exports",
        "resources": [
            {
                "$schema": _PROFILE.format("dataresource"),
                "name": table.name,
                "type": "table",
                "path": f"{table.name}.csv",
                "description": table.description,
                "format": "csv",
                "mediatype": "text/csv",
                "encoding": "utf-8",
                "schema": f"{table.name}.schema.json",
            }
            for table in tables
        ],
    }


def json_text(value: dict[str, Any]) -> str:
    """As it stands in a file: for people, too."""
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


def _field(table: Table, column: Column) -> dict[str, Any]:
    kind = column.type.kind
    field: dict[str, Any] = {"name": column.name, "type": _TYPES[kind]}
    if (
        kind == "timestamp"
    ):  # a blank stands between day and time, and fractions only where there are
        field["format"] = "any"
    if column.description:
        field["description"] = column.description
    field["redshiftType"] = types.redshift_text(column.type)
    constraints: dict[str, Any] = {}
    # An empty text looks like no value in a CSV, so a text is never said to be required.
    if not column.nullable and kind != "varchar":
        constraints["required"] = True
    if table.grain == (column.name,):
        constraints["unique"] = True
    if column.values:
        constraints["enum"] = [cell(value) for value in column.values]
    if constraints:
        field["constraints"] = constraints
    return field
