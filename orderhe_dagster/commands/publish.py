"""`orderhe publish`: dashboard and exports handed out, and the warehouse stays closed; or how it is opened.

What lies in the store, and until when, is `road.published`'s; how a link is made, the store's.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from orderhe_dagster.errors import OrderheError, counted

if TYPE_CHECKING:
    from orderhe_dagster.catalog.table import Catalogue, Table
    from orderhe_dagster.ports.store import Store
    from orderhe_dagster.road.export_files import ExportFiles
    from orderhe_dagster.settings.config import Settings

_HTML, _CSV, _JSON = "text/html; charset=utf-8", "text/csv; charset=utf-8", "application/json"
STATEMENT_MS, CONNECTIONS = 60_000, 10
"""What a BI user may ask for: how long a statement runs, how many connections at once."""


class PublishError(OrderheError):
    """What was to be published is not there, or not what its file says. Names it and the next action."""


@dataclass
class _Hand:
    """Publishes files into the store, in one folder of its own, and tells their links."""

    store: Store
    lifetime: timedelta
    folder: str = field(init=False)

    def __post_init__(self) -> None:
        from orderhe_dagster.road import published

        self.folder = published.new_folder(datetime.now(timezone.utc) + self.lifetime)

    def out(self, name: str, path: Path, media_type: str) -> Iterator[str]:
        """Store a file, which is used up, and tell its link."""
        key = f"{self.folder}/{name}"
        self.store.upload([(key, path)])
        link = self.store.link(key, self.lifetime, media_type)
        if link is None:  # only of a store of somebody's own: a folder is told of before
            raise PublishError(f"this store makes no links; the object is {self.store.url(key)}")
        yield link.url
        yield f"    opens for whoever has it until {link.until:%Y-%m-%d %H:%M} UTC" + (
            f" at the latest: {link.sooner}" if link.sooner else ""
        )


_ENDS = "Keep these links as you keep passwords. `orderhe publish withdraw` ends all of them now."


def publish_dashboard(settings: Settings, lifetime: timedelta) -> Iterator[str]:
    """Put the pages into the store and give links to them; of a folder, say where they lie."""
    from orderhe_dagster.dashboard.page import alone
    from orderhe_dagster.settings.home import home_of

    home = home_of(settings)
    pages = [home.dashboard / name for name in ("index.html", "lineage.html")]
    if not pages[0].is_file():
        raise PublishError(
            f"there is no dashboard at {pages[0]}: draw it with `orderhe run 'export/*'`"
        )
    store = _store_with_links(settings)
    if store is None:
        yield from _no_link(pages[0])
        return
    hand = _Hand(store, lifetime)
    with _aside(settings) as aside:
        for page in filter(Path.is_file, pages):
            (aside / page.name).write_text(alone(page.read_text("utf-8")), "utf-8")
            yield f"{page.name}, drawn {_written(page)}:"
            yield from hand.out(page.name, aside / page.name, _HTML)
    yield _ENDS


def publish_exports(
    settings: Settings, names: Sequence[str], to: str, lifetime: timedelta
) -> Iterator[str]:
    """Hand CSV and schema files out: into the folder `to`, or ("s3") into the store, with links."""
    from orderhe_dagster.road.export_files import ExportFiles, describe_copies
    from orderhe_dagster.settings.home import home_of
    from orderhe_dagster.settings.locks import file_lock
    from orderhe_dagster.settings.project import read_catalogue

    home, tables = home_of(settings), _exports(read_catalogue(settings), names)
    store = _store_with_links(settings) if to == "s3" else None
    if to == "s3" and store is None:
        yield from _no_link(
            *(ExportFiles(home.exports, table.name).csv for table in tables if names),
            *(() if names else (home.exports,)),
        )
        yield "Copies with what their columns mean: orderhe publish exports --to FOLDER"
        return
    hand = _Hand(store, lifetime) if store else None
    with _aside(settings) as aside:
        for table in tables:
            files = ExportFiles(home.exports, table.name)
            folder = aside if hand else Path(to)
            with file_lock(home.scratch / f"export-{table.name}", label=f"publish {table.name}"):
                _require_current(table, files)
                files.copy_to(folder)
            copy = ExportFiles(folder, table.name)
            size = f"{copy.csv.stat().st_size:,} bytes, written {_written(files.csv)}"
            if hand is None:
                yield f"{copy.csv}: {size}"
                continue
            yield f"{copy.csv.name}, {size}:"
            yield from hand.out(copy.csv.name, copy.csv, _CSV)
            yield f"{copy.schema.name}, what its columns mean:"
            yield from hand.out(copy.schema.name, copy.schema, _JSON)
    if hand is None:
        describe_copies(tables, Path(to))
    else:
        yield _ENDS


def withdraw(settings: Settings) -> str:
    """Take away all that was published in the store: its links end now."""
    from orderhe_dagster.resources.build import build_store
    from orderhe_dagster.road import published

    store = build_store(settings)
    keys = [one.key for one in published.published(store)]
    store.delete(keys)
    return f"{counted(len(keys), 'published object')} removed: no link to them opens any more"


def bi_sql(settings: Settings, user: str, loader: str) -> Iterator[str]:
    """The statements that make a user who reads marts and nothing else. Nothing is run."""
    from orderhe_dagster.catalog.ddl import quoted

    who, of = quoted(user), quoted(loader or settings.redshift.user or "loader")
    role = settings.redshift.iam_role
    named = f"'{role}'" if role.startswith("arn:") else "default"
    yield "-- As a superuser: in the query editor, or psql. Nothing was run."
    if not (loader or settings.redshift.user):
        yield "-- Who makes the marts is not known here, and taken to be loader: --loader NAME is another,"
        yield "-- such as orderhe, the administrator that infra/redshift.yaml makes."
    yield f"create user {who} password disable connection limit {CONNECTIONS} session timeout 3600;"
    yield f"alter user {who} set statement_timeout to {STATEMENT_MS};"
    yield f"grant usage on schema mart to {who};"
    yield f"grant select on all tables in schema mart to {who};"
    yield (
        f"alter default privileges for user {of} in schema mart grant select on tables to {who};"
    )
    yield "-- Else whoever reads a table may UNLOAD its rows wherever an attached role may write:"
    yield "revoke assumerole on all from public for all;"
    yield f"grant assumerole on {named} to {of} for copy, unload;"
    yield "-- The password last, typed where no history keeps it (in psql, a line with a blank before it"
    yield "-- and HISTCONTROL=ignorespace; the query editor of AWS keeps what you save). The stack bi.yaml"
    yield "-- has made one in Secrets Manager:"
    yield f"--   alter user {who} password '…';"
    yield "-- TLS or nothing, for everybody (in a shell; connections are closed for it):"
    workgroup = settings.redshift.workgroup or "WORKGROUP"
    yield (
        f"--   aws redshift-serverless update-workgroup --workgroup-name {workgroup}"
        " --config-parameters parameterKey=require_ssl,parameterValue=true"
    )


ENDPOINT = """\
This opens the warehouse to a tool in the cloud. Nothing was done. What is better stands in docs/bi.md, and
what the stacks are in docs/infra.md.
1. Read today's addresses of the tool on its maker's page: infra/bi.yaml has Data Studio's, with a date.
2. orderhe publish sql    # its statements make the user `bi`, who reads marts and nothing else
3. aws cloudformation deploy --stack-name orderhe-bi --template-file infra/bi.yaml \\
     --parameter-overrides Range1=ADDRESSES/23 RangesDate=TODAY
4. aws cloudformation deploy --stack-name orderhe-redshift --template-file infra/redshift.yaml \\
     --capabilities CAPABILITY_IAM --parameter-overrides BiStack=orderhe-bi
5. Give `bi` the password of the secret that the stack's output BiSecretArn names: alter user bi password '…'
6. In the tool: the endpoint's name, port 5439, database dev, user bi, SSL on. Refresh from an extract: a
   dashboard that asks the warehouse every 15 minutes bills about 2,880 minutes a month.
To close it: step 4 with BiStack= (empty), then aws cloudformation delete-stack --stack-name orderhe-bi"""
"""The steps of the opt-in, in the words of the templates."""


def _exports(catalogue: Catalogue, names: Sequence[str]) -> list[Table]:
    """The exports of these names (none: all), with or without their layer. PublishError."""
    there = {table.name: table for table in catalogue.layer("export")}
    bare = [name.rpartition("/")[2].removesuffix(".csv") for name in names]
    for name, given in zip(bare, names, strict=True):
        if name not in there:
            near = difflib.get_close_matches(name, there, n=3)
            others = (
                f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(there)}"
            )
            raise PublishError(f"there is no export {given!r}; {others}")
    if not there:
        raise PublishError(f"{catalogue.root} has no exports: write one, sql/README.md says how")
    return [table for name, table in there.items() if not bare or name in bare]


def _require_current(table: Table, files: ExportFiles) -> None:
    """See that the files are there and have the columns of today's SQL: none that it no longer gives out."""
    from orderhe_dagster.rendering.table_schema import table_schema

    again = f"orderhe run 'export/{table.name}'"
    if not (files.csv.is_file() and files.schema.is_file()):
        raise PublishError(f"export/{table.name} has not been written: {again}")
    kept = json.loads(files.schema.read_text("utf-8"))
    if kept != json.loads(json.dumps(table_schema(table))):
        raise PublishError(
            f"{files.csv} was written before {table.path} was changed; nothing of it was published. "
            f"Write it again: {again}"
        )


def _store_with_links(settings: Settings) -> Store | None:
    from orderhe_dagster.resources.build import build_store

    return None if settings.store == "folder" else build_store(settings)


def _no_link(*paths: Path) -> Iterator[str]:
    yield "There is no link: the store is a folder of this machine (ORDERHE_STORE=folder)."
    yield f"What was to be published lies at {', '.join(str(path) for path in paths)}"
    yield "Hand it out as any other file, or set ORDERHE_STORE=s3 (docs/s3.md) for links that end."


@contextmanager
def _aside(settings: Settings) -> Iterator[Path]:
    from orderhe_dagster.settings.home import home_of
    from orderhe_dagster.settings.scratch import scratch_folder

    with scratch_folder(home_of(settings).scratch, label="publish") as folder:
        yield folder


def _written(path: Path) -> str:
    at = datetime.fromtimestamp(path.stat().st_mtime, timezone.utc)
    return f"{at:%Y-%m-%d %H:%M} UTC"
