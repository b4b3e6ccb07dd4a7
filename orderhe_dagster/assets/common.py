"""What every layer's assets share: options read from the catalogue, and how they fail."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import dagster as dg

from orderhe_dagster.assets.calendar import Calendar
from orderhe_dagster.catalog import types
from orderhe_dagster.catalog.days import Window
from orderhe_dagster.catalog.table import Catalogue, Column, Layer, Table, TableRef
from orderhe_dagster.doctor.explain import explain
from orderhe_dagster.errors import OrderheError
from orderhe_dagster.ports.errors import LockTimeout, PreconditionFailed
from orderhe_dagster.ports.warehouse import Result
from orderhe_dagster.rendering.masking import masked
from orderhe_dagster.rendering.printing import markdown_table
from orderhe_dagster.settings.config import Settings
from orderhe_dagster.settings.interrupts import raise_if_interrupted

PREVIEW_ROWS = 5
DEFAULT_OWNER = "team:data"
Decorator = Callable[[Callable[..., Any]], dg.AssetsDefinition]
FOLLOWS_ITS_INPUTS = dg.AutomationCondition.eager()
"""Of what is built from the warehouse: where Dagster's automation sensor is on, it is made when they are."""
_RETRIES = 2
_RETRIABLE = (LockTimeout, PreconditionFailed)


def upstream_key(catalogue: Catalogue, ref: TableRef) -> tuple[str, str]:
    """The asset that provides what SQL calls `ref`: loaded or modelled, warehouse/… alike."""
    catalogue.get(ref)
    return ref.path


def asset_for(options: Mapping[str, Any]) -> Decorator:
    """`@dg.asset` with the options of `asset_options`, and more where the caller adds some."""
    return cast("Decorator", dg.asset(**options))


def asset_options(
    catalogue: Catalogue,
    table: Table,
    layer: Layer,
    calendar: Calendar,
    *,
    deps: Iterable[tuple[str, str]],
    description: str,
) -> dict[str, Any]:
    """The keyword arguments of `@dg.asset` for `table` in `layer`, all read from its file."""
    daily = table.partition is not None and layer != "export"
    key = dg.AssetKey([layer, table.name])
    return {
        "key": key,
        "deps": [dg.AssetKey(list(path)) for path in deps],
        "group_name": layer,
        "owners": [table.owner or DEFAULT_OWNER],
        "description": description,
        "code_version": table.code_version,
        "partitions_def": calendar.partitions if daily else None,
        "backfill_policy": dg.BackfillPolicy.single_run(),
        "freshness_policy": _freshness(table),
        "pool": f"{layer}_{table.name}",
        "metadata": {
            "dagster/table_name": f"{layer}.{table.name}",
            "dagster/column_schema": column_schema(table.in_source if layer == "raw" else table),
            "sql": dg.MetadataValue.md(f"```sql\n{table.sql.strip()}\n```"),
            "dagster/code_references": dg.CodeReferencesMetadataValue(
                code_references=[
                    dg.LocalFileCodeReference(
                        file_path=str(Path(catalogue.root) / table.path), line_number=1, label="SQL"
                    )
                ]
            ),
            **({"partition_column": table.day_text or table.partition} if table.partition else {}),
        },
    }


def with_kinds(
    assets: Iterable[dg.AssetsDefinition], catalogue: Catalogue, settings: Settings
) -> list[dg.AssetsDefinition]:
    """The assets with the kinds of the systems that the settings name: on a laptop nothing is `redshift`."""
    selects = {table.ref.path for table in catalogue.tables if table.layer != "raw"}
    source = {"mysql"} if settings.source == "mysql" else {"duckdb"}
    store = {"parquet", "s3"} if settings.store == "s3" else {"parquet"}
    warehouse = {"duckdb"} if settings.warehouse == "embedded" else {"redshift"}
    kinds = {"raw": source, "backup": store, "warehouse": warehouse, "mart": warehouse}

    def true(spec: dg.AssetSpec) -> dg.AssetSpec:
        layer = spec.key.path[0]
        if layer not in kinds:
            return spec
        is_select = tuple(spec.key.path) in selects
        return spec.replace_attributes(kinds=kinds[layer] | ({"sql"} if is_select else set()))

    return [asset.map_asset_specs(true) for asset in assets]


def _freshness(table: Table) -> dg.FreshnessPolicy | None:
    if table.freshness is None:
        return None
    return dg.FreshnessPolicy.time_window(fail_window=table.freshness)


def column_schema(table: Table) -> dg.TableSchema:
    """The columns as Dagster shows them: name, Redshift type, meaning, whether empty is allowed."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name=column.name,
                type=types.redshift_text(column.type),
                description=column.meaning,
                constraints=dg.TableColumnConstraints(
                    nullable=column.nullable, unique=table.grain == (column.name,)
                ),
            )
            for column in table.columns
        ]
    )


def copied_lineage(table: Table, upstream: tuple[str, str]) -> dg.TableColumnLineage:
    """The lineage of a layer that carries every column over as it is."""
    key = dg.AssetKey(list(upstream))
    return dg.TableColumnLineage(
        {name: [dg.TableColumnDep(key, name)] for name in table.column_names}
    )


def select_lineage(catalogue: Catalogue, table: Table) -> dg.TableColumnLineage:
    """The lineage of a select, as the catalogue read it."""
    return dg.TableColumnLineage(
        {
            name: [
                dg.TableColumnDep(dg.AssetKey(list(upstream_key(catalogue, ref.table))), ref.column)
                for ref in refs
            ]
            for name, refs in table.lineage.items()
        }
    )


def preview(columns: Sequence[Column], result: Result) -> dg.MetadataValue[Any]:
    """The first rows as a Markdown table; personal data is masked."""
    personal = {column.name for column in columns if column.pii}
    rows = masked(result.columns, result.rows[:PREVIEW_ROWS], personal)
    return dg.MetadataValue.md(markdown_table(result.columns, rows))


def content_version(texts: Iterable[object]) -> dg.DataVersion:
    """The data version of what an asset was asked for, by the versions of its segments."""
    lines = "\n".join(map(str, texts))
    return dg.DataVersion(hashlib.sha256(lines.encode()).hexdigest()[:16])


def carried(context: dg.AssetExecutionContext, names: Iterable[str]) -> dict[str, Any] | None:
    """These entries of the asset's last materialization, where nothing of it has changed since.

    None where it has none, or lacks the first of them.
    """
    event = context.instance.get_latest_materialization_event(context.asset_key)
    materialization = event.asset_materialization if event else None
    if materialization is None:
        return None
    first, *others = names
    known = materialization.metadata
    if first not in known:
        return None
    return {name: known[name] for name in (first, *others) if name in known}


def unchanged_since(moments: Iterable[datetime | None]) -> dict[str, str]:
    """The entry that says since when what was asked for is as it is; nothing where that is not known."""
    known = [moment for moment in moments if moment]
    return {"unchanged_since": f"{max(known):%Y-%m-%d %H:%M:%S} UTC"} if known else {}


@contextmanager
def failing_clearly(asset: str, window: Window | None, tries: int = 0) -> Iterator[None]:
    """Turn an error that we word, a port's above all, into a failure that names the asset and its days.

    What another try can mend (a lock, a lost race) is tried again, at most twice; `tries` is how
    often it was. Anything else is not.
    """
    where = f"{asset} [{window}]" if window else asset
    raise_if_interrupted()
    try:
        yield
    except Exception as error:
        raise_if_interrupted()
        if not isinstance(error, OrderheError):
            raise
        if not isinstance(error, _RETRIABLE) or tries >= _RETRIES:
            raise _failure(where, error) from error
        raise dg.RetryRequested(max_retries=_RETRIES, seconds_to_wait=2) from error
    raise_if_interrupted()


def _failure(where: str, error: Exception) -> dg.Failure:
    """The failure as Dagster shows it: what happened, and, where a signature fits, why and what mends it."""
    why = explain(error)
    if why is None:
        return dg.Failure(f"{where}: {error}", allow_retries=False)
    return dg.Failure(
        f"{where}: {error}\n\n{why.text()}",
        metadata={
            "cause": why.title,
            "fix": dg.MetadataValue.md(f"```{why.kind}\n{why.command}\n```"),
            "page": why.page,
        },
        allow_retries=False,
    )
