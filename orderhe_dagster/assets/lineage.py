"""The page that draws the column lineage, as an asset. What it shows is `dashboard.lineage_html`'s."""

import hashlib
import logging

import dagster as dg

from orderhe_dagster.assets.common import DEFAULT_OWNER, failing_clearly
from orderhe_dagster.catalog.table import Catalogue
from orderhe_dagster.dashboard.lineage_html import lineage_page
from orderhe_dagster.dashboard.page import replace_text
from orderhe_dagster.dashboard.panels import readable
from orderhe_dagster.settings.home import Home
from orderhe_dagster.settings.scratch import scratch_folder

log = logging.getLogger("orderhe.lineage")

NAME = "export/lineage"


def build_lineage_asset(catalogue: Catalogue, state: Home) -> dg.AssetsDefinition:
    """The page `<home>/dashboard/lineage.html`: of any shop, since it needs no data."""
    path = state.dashboard / "lineage.html"
    versions = "".join(table.code_version for table in catalogue.tables)

    @dg.asset(
        key=NAME.split("/"),
        group_name="export",
        kinds={"html"},
        owners=[DEFAULT_OWNER],
        description="Where each column comes from and what is made of it, from the shop's tables to the "
        f"CSV files: one file for any browser, {path}. It is read from the SQL files; nothing "
        "is fetched from the network.",
        code_version=hashlib.sha256(versions.encode()).hexdigest()[:12],
        backfill_policy=dg.BackfillPolicy.single_run(),
        pool="export_lineage",
    )
    def lineage() -> dg.MaterializeResult[None]:
        with failing_clearly(NAME, None), scratch_folder(state.scratch, label=NAME) as aside:
            page = lineage_page(catalogue, dashboard=bool(readable(catalogue)))
            size = replace_text(path, page, aside)
        log.info("%s: %s bytes to %s", NAME, f"{size:,}", path)
        return dg.MaterializeResult(
            metadata={
                "dagster/uri": path.as_uri(),
                "file": dg.MetadataValue.path(str(path)),
                "bytes": size,
                "tables": len(catalogue.tables),
            }
        )

    return lineage
