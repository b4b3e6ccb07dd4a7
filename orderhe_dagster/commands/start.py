"""`orderhe start`: the first marts of an adopted shop, as files. What is in them: `intake.start`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from orderhe_dagster.catalog.table import Table
from orderhe_dagster.commands.days import LaunchError
from orderhe_dagster.errors import counted
from orderhe_dagster.intake.start.choices import Ask, Choices
from orderhe_dagster.intake.start.marts import MARTS, files_of
from orderhe_dagster.intake.start.models import Models, taken, taken_of_lines, told_stages
from orderhe_dagster.intake.start.recognise import Look, recognise
from orderhe_dagster.ports.errors import PortError
from orderhe_dagster.ports.source import Source
from orderhe_dagster.settings import home
from orderhe_dagster.settings.config import OWN_SQL, Settings

_MOST_VALUES = 200
_NAMES = (("shop_orders", "shop_order_lines"), ("all_orders", "all_order_lines"))
"""What the two models are called: the first pair that no table of the shop is called."""


def write_marts(
    settings: Settings,
    answers: Mapping[str, str],
    ask: Ask | None = None,
    *,
    force: bool = False,
) -> list[str]:
    """Write the marts of the shop whose contracts are adopted; say what was taken for what.

    A file that is there stays, unless `force`. StartError, LaunchError, CatalogueError.
    """
    from orderhe_dagster.resources.build import build_source
    from orderhe_dagster.settings.project import read_catalogue

    if settings.sql.resolve() == OWN_SQL:
        raise LaunchError(
            f"{settings.sql} is the demo shop's own folder, which has its marts: set ORDERHE_SQL to the "
            "folder that `orderhe adopt` wrote to"
        )
    raw = read_catalogue(settings).layer("raw")
    choices = Choices(answers, ask)
    look, unseen = _look(build_source(settings))
    shop = recognise(
        raw,
        choices,
        time_zone=settings.time_zone,
        currency=home.currency(settings),
        look=look,
    )
    models = Models(shop, *_model_names(raw))
    files = files_of(models)
    changed, kept = _changed(settings.sql, files, force=force)
    _check(settings.sql, changed)
    for path, text in changed.items():
        file = settings.sql / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8", newline="\n")
    if settings.currency is None:
        home.remember_currency(home.prepare_home(settings), shop.currency)
    return [*_report(models, choices, unseen), *_outcome(settings, [*changed], kept)]


def _look(source: Source) -> tuple[Look, list[str]]:
    """How rows are looked at, and a list that says why they cannot be, once that is known."""
    unseen: list[str] = []

    kept: dict[tuple[str, ...], Sequence[tuple[tuple[str | None, ...], int]]] = {}

    def look(table: Table, columns: Sequence[str]) -> Sequence[tuple[tuple[str | None, ...], int]]:
        key = (table.name, *columns)
        if key not in kept and not unseen:
            try:
                kept[key] = source.commonest(table, columns, _MOST_VALUES)
            except PortError as error:
                unseen.append(f"No row was looked at: {error}")
        return kept.get(key, ())

    return look, unseen


def _model_names(raw: Sequence[Table]) -> tuple[str, str]:
    taken_names = {table.name for table in raw}
    for pair in _NAMES:
        if not taken_names & {*pair}:
            return pair
    raise LaunchError(
        f"the shop has tables called {', '.join(sorted(taken_names & {n for p in _NAMES for n in p}))}, as "
        "the models of the marts are: rename their files in raw/"
    )


def _changed(
    folder: Path, files: Mapping[str, str], *, force: bool
) -> tuple[dict[str, str], list[str]]:
    """The files that are to be written, and the paths of those that stay as they are though they differ."""
    changed, kept = dict[str, str](), list[str]()
    for path, text in sorted(files.items()):
        file = folder / path
        there = file.read_text("utf-8") if file.exists() else None
        if there is not None and there != text and not force:
            kept.append(path)
        elif there != text:
            changed[path] = text
    return changed, kept


def _check(folder: Path, changed: Mapping[str, str]) -> None:
    """See that the folder can be read with these files in it, before any is written. CatalogueError."""
    from orderhe_dagster.catalog.reader import read_files
    from orderhe_dagster.catalog.sql_files import SqlFile, find_files

    new = [SqlFile(path, text.encode()) for path, text in changed.items() if path.endswith(".sql")]
    there = [file for file in find_files(folder) if file.path not in changed]
    read_files(str(folder), [*there, *new])


def _report(models: Models, choices: Choices, unseen: Sequence[str]) -> Iterator[str]:
    shop = models.shop
    yield taken(shop)
    if told := told_stages(shop.stages):
        yield told
    yield (
        taken_of_lines(shop, shop.lines) if shop.lines else "No table has order lines: no products."
    )
    yield f"Amounts are {shop.currency}."
    yield from unseen
    yield from choices.notes
    missing = [name for name in MARTS if f"mart/{name}.sql" not in files_of(models)]
    if missing:
        yield f"Left out, as the shop does not tell them: {', '.join(missing)}"


def _outcome(settings: Settings, written: Sequence[str], kept: Sequence[str]) -> Iterator[str]:
    marts = [path for path in written if path.startswith(("mart/", "warehouse/"))]
    yield (
        f"{counted(len(written), 'file')} written to {settings.sql}: "
        f"{', '.join(path.rpartition('.')[0] for path in marts) or 'no model or mart'}, with their exports, "
        "checks and examples"
    )
    if kept:
        yield (
            f"{', '.join(kept[:4])}{', …' if len(kept) > 4 else ''} "
            f"differ{'s' if len(kept) == 1 else ''} from what would be written, and stayed: --force writes "
            f"{'it' if len(kept) == 1 else 'them'} anew"
        )
    yield (
        "Next: orderhe test (their examples), orderhe run '*', then open "
        f"{home.home_of(settings).dashboard / 'index.html'}"
    )
