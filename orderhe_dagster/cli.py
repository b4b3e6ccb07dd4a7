"""The `orderhe` command: thin, each verb calls one function elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from orderhe_dagster.catalog.days import Window
    from orderhe_dagster.settings.config import Settings

EPILOG = "Settings are ORDERHE_* variables or lines of a .env file: see .env.example."


class DayType(click.ParamType["date"]):
    """A day as YYYY-MM-DD."""

    name = "day"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Read the day, or say what it should look like."""
        if isinstance(value, date):
            return value
        try:
            return datetime.strptime(value, "%Y-%m-%d").date()
        except ValueError:
            self.fail(f"{value!r} is not a day like 2026-11-21", param, ctx)


DAY = DayType()
ACCEPTED = click.Choice(["fewer_rows", "lost_backups", "other_server"])
"""What a run stops at, and may be let carry on: `guards.REASONS`, which are not loaded for that."""


class LifetimeType(click.ParamType["timedelta"]):
    """A length of time as 30m, 12h or 7d."""

    name = "time"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> timedelta:
        """Read the length, or say what it should look like and how long it may be."""
        if isinstance(value, timedelta):
            return value
        units = {"m": "minutes", "h": "hours", "d": "days"}
        number, unit = value[:-1], units.get(value[-1:])
        if unit is None or not number.isascii() or not number.isdigit() or len(number) > 6:
            self.fail(f"{value!r} is not a length of time like 30m, 12h or 7d", param, ctx)
        lifetime = timedelta(**{unit: int(number)})
        if not timedelta(0) < lifetime <= timedelta(days=7):
            self.fail(
                f"{value} is not from 1m to 7d, which is what S3 lets a link last", param, ctx
            )
        return lifetime


LIFETIME = LifetimeType()


class TableIsType(click.ParamType["tuple[str, str]"]):
    """What is said of a table: TABLE=COLUMN."""

    name = "table=column"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        """Read the table and what is said of it, or say what it should look like."""
        table, sign, column = (part.strip() for part in str(value).partition("="))
        if not (table and sign and column):
            self.fail(f"{value!r} is not TABLE=COLUMN", param, ctx)
        return table, column


TABLE_IS = TableIsType()


@click.group(context_settings={"help_option_names": ["-h", "--help"]}, epilog=EPILOG)
@click.version_option(package_name="orderhe_dagster")
def main() -> None:
    """Carry a shop's MySQL tables to backups, warehouse, marts and BI: proven equal at every step."""


def _days(required: bool) -> Callable[[Callable[..., None]], Callable[..., None]]:
    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        last = click.option("--to", "last", type=DAY, help="Last day (default: the first day).")
        first = click.option("--from", "first", type=DAY, required=required, help="First day.")
        return first(last(function))

    return decorate


def _window(first: date | None, last: date | None) -> Window | None:
    from orderhe_dagster.catalog.days import Window

    if first is None:
        if last is not None:
            raise click.UsageError("--to needs --from")
        return None
    if last is not None and last < first:
        raise click.UsageError(f"--to {last} is before --from {first}")
    return Window.of(first, last)


@contextmanager
def _plain_errors(*, makes_sql: bool = False) -> Iterator[Settings]:
    """Settings for a verb; every error that we word ourselves is printed without a traceback.

    `makes_sql`: the verb makes the folder of ORDERHE_SQL.
    """
    from orderhe_dagster.rendering.progress import show_progress
    from orderhe_dagster.settings.config import load_settings

    with _errors_told(), show_progress():
        yield load_settings(makes_sql=makes_sql)


@contextmanager
def _errors_told() -> Iterator[None]:
    """Errors of the block in their own words, with what explains them, and no traceback."""
    from orderhe_dagster.catalog.errors import CatalogueError
    from orderhe_dagster.errors import OrderheError

    try:
        yield
    except (OrderheError, CatalogueError) as error:
        click.echo(f"error: {error}", err=True)
        for line in _explanation(error):
            click.echo(line, err=True)
        sys.exit(1)
    except OSError as error:
        if isinstance(error, BrokenPipeError):  # whoever read our output has gone
            raise
        click.echo(f"error: {_of_system(error)}", err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        click.echo(
            "interrupted: nothing is half done; the same command goes on from here", err=True
        )
        sys.exit(130)


def _explanation(error: Exception) -> list[str]:
    """Why, how that is known and what mends it, where a signature fits."""
    from orderhe_dagster.doctor.explain import explain

    why = explain(error)
    return ["", *why.text().splitlines()] if why else []


def _of_system(error: OSError) -> str:
    """What the machine refused, on which file, and what to do."""
    import errno

    message = f"{error.filename or 'the machine'}: {error.strerror or error}"
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return f"{message}. Free space on that disk and run this again: nothing is half done."
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return (
            f"{message}. Give this user the right to it, or set ORDERHE_HOME to a folder of yours."
        )
    return f"{message}. Put it right, or move it away, and run this again."


@main.command(short_help="Create what is missing of tables, bucket and schemas.")
def create() -> None:
    """Create raw tables, bucket layout and warehouse schemas where they are missing."""
    with _plain_errors() as settings:
        from orderhe_dagster.commands.create import create_all

        for line in create_all(settings):
            click.echo(line)


@main.command(short_help="Write the contracts of an existing MySQL schema.")
@click.argument("names", nargs=-1, metavar="[FOLDER | --update TABLE...]")
@click.option(
    "--only",
    multiple=True,
    metavar="PATTERNS",
    help="These tables: 'orders,customers,*product*', '!*_log' takes out.",
)
@click.option(
    "--map",
    "names_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="What tables are called here: `source name = our name` a line, or CSV.",
)
@click.option(
    "--partition",
    "partitions",
    type=TABLE_IS,
    multiple=True,
    help="What cuts a table into days: TABLE=COLUMN, TABLE=none, 'lines=order_id -> orders.order_date'.",
)
@click.option(
    "--cursor",
    "cursors",
    type=TABLE_IS,
    multiple=True,
    help="What moves when a row changes: TABLE=COLUMN, TABLE=none.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(min=0),
    default=60.0,
    show_default=True,
    help="How long the values of all tables may be looked at.",
)
@click.option("--yes", is_flag=True, help="Ask nothing: take what is guessed.")
@click.option("--force", is_flag=True, help="Write files anew that are there already.")
@click.option("--update", is_flag=True, help="Show what has changed in the shop since, as a diff.")
@click.option("--write", is_flag=True, help="With --update: write it.")
def adopt(
    names: tuple[str, ...],
    only: tuple[str, ...],
    names_file: Path | None,
    partitions: tuple[tuple[str, str], ...],
    cursors: tuple[tuple[str, str], ...],
    seconds: float,
    yes: bool,
    force: bool,
    update: bool,
    write: bool,
) -> None:
    """Write the contracts of an existing MySQL schema into FOLDER/raw (default: ORDERHE_SQL).

    Looks at tables and values, for a while: which column cuts each table into days, what cannot be
    carried, what has no cursor. Prints a screen of it; all of it goes to FOLDER/adopted.txt. On a terminal it
    asks which tables, and which column where several could be meant.

    With --update, shows the contracts of TABLEs (default: all) as their tables are now, headers and
    comments kept. Ends with code 1 where one differs and nothing was written.
    """
    new = only or names_file or partitions or cursors or force
    if (write and not update) or (update and new) or (len(names) > 1 and not update):
        raise click.UsageError("adopt takes one FOLDER, or --update with TABLEs and --write")
    with _plain_errors(makes_sql=not update) as settings:
        from orderhe_dagster.commands.adopt import adopt_schema, asked_for, update_contracts

        if update:
            lines, differs = update_contracts(settings, names, write=write)
        else:
            answers = dict(partitions), dict(cursors)
            asked = asked_for(only, names_file, *answers, force=force, seconds=seconds)
            folder = Path(names[0]) if names else None
            ask = None if yes or not (sys.stdin.isatty() and sys.stderr.isatty()) else _ask
            lines, differs = adopt_schema(settings, folder, asked, ask), False
        for line in lines:
            click.echo(line)
        if differs:
            sys.exit(1)


def _ask(question: str, guess: str) -> str:
    """An answer of whoever sits at the terminal; Enter takes the guess."""
    return str(click.prompt(question, default=guess, err=True))


_ANSWERS = {
    "orders": "Table of the orders.",
    "day": "Its column that is an order's day.",
    "amount": "Its column that is an order's amount; none: the sum of its lines.",
    "customer": "Its column that says who ordered, or none.",
    "status": "Its column that says how far an order has come, or none.",
    "cancelled": "Values of the status, with commas between, of orders that were cancelled or never paid.",
    "returned": "Values of the status of orders that came back or were refunded.",
    "shipped": "Values of the status of orders that have left.",
    "delivered": "Values of the status of orders that have arrived, or are complete.",
    "not-orders": "Values of the status of what is no order, such as a draft.",
    "lines": "Table of the order lines, or none.",
    "line-order": "Its column that names the order.",
    "line-product": "Its column that names the product.",
    "line-quantity": "Its column that is how many.",
    "line-amount": "Its column that is the amount of the line; none: price x pieces.",
    "products": "Table of the products, or none.",
    "currency": "Currency of the amounts, as EUR.",
}


def _answers(function: Callable[..., None]) -> Callable[..., None]:
    for name, words in reversed(_ANSWERS.items()):
        function = click.option(f"--{name}", help=words)(function)
    return function


@main.command(short_help="Write the first marts of an adopted shop.")
@_answers
@click.option("--force", is_flag=True, help="Write files anew that are there already.")
def start(force: bool, **answers: str | None) -> None:
    """Write the marts that can be told of the shop in ORDERHE_SQL: sales, customers, products, exports.

    Which table has the orders and which column is what is guessed by names, keys and values. On a terminal
    it asks where it is unsure; every answer is a flag, too. Files that are there stay.
    """
    with _plain_errors() as settings:
        from orderhe_dagster.commands.start import write_marts

        said = {name.replace("_", "-"): text for name, text in answers.items() if text is not None}

        def ask(question: str, guess: str | None, others: Sequence[str]) -> str:
            also = f" (also: {', '.join(others)}, none)" if others else ""
            return _ask(f"{question}{also}", guess or "none")

        is_terminal = sys.stdin.isatty() and sys.stderr.isatty()
        for line in write_marts(settings, said, ask if is_terminal else None, force=force):
            click.echo(line)


@main.command(short_help="A year of a simulated shop through every layer.")
def demo() -> None:
    """Simulate a year of the shop, run every layer, prove that they agree, and say where to look."""
    with _plain_errors() as settings:
        from orderhe_dagster.commands.demo import run_demo

        if not run_demo(settings, click.echo):
            sys.exit(1)


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", "-p", default=3000, show_default=True, help="Port of the Dagster UI.")
def dev(host: str, port: int) -> None:
    """Open the Dagster UI on this shop's state, for development. Production: docs/deploy.md."""
    with _plain_errors() as settings:
        from orderhe_dagster.commands.dev import serve_ui

        sys.exit(serve_ui(settings, host, port))


@main.command(short_help="Make days happen in the simulated shop.")
@_days(required=True)
@click.option(
    "--scale",
    type=click.FloatRange(0.001, 500),
    help="So many times the demo's orders a day (default: as the shop was begun, or 1).",
)
def simulate(first: date, last: date | None, scale: float | None) -> None:
    """Make days happen in the simulated shop: orders, and the customers and products they need.

    One shop has one scale: later days, those of `orderhe run` too, go on with it.
    """
    with _plain_errors() as settings:
        from orderhe_dagster.commands.simulate import simulate_days

        window = _window(first, last)
        assert window is not None  # --from is required
        click.echo(simulate_days(settings, window, scale))


@main.command("import", short_help="Load a file (CSV, .xlsx, JSON lines) into a raw table.")
@click.argument("names", metavar="[TABLE] FILE", nargs=-1, required=True)
@click.option("--force", is_flag=True, help="Load a file again into a table without a key.")
@click.option(
    "--map",
    "maps",
    multiple=True,
    metavar="MAP",
    help="Which column is which: 'Name=order_no, Notes=-', a file, or shopify, woocommerce, cafe24.",
)
@click.option("--guess", is_flag=True, help="Write contract and map from the file, load nothing.")
@click.option("--encoding", help="utf-8, cp949, cp932, gb18030, cp1252, …")
@click.option("--separator", help="What parts the cells: , ; | or tab.")
@click.option("--decimal", type=click.Choice([".", ","]), help="The sign before the fraction.")
@click.option("--dates", type=click.Choice(["dmy", "mdy"]), help="Order of day and month.")
@click.option("--null", multiple=True, metavar="TEXT", help="A text that stands for no value.")
@click.option("--sheet", metavar="NAME", help="The sheet of a workbook (default: the first).")
@click.option("--member", metavar="NAME", help="The file inside a zip that holds several.")
@click.option("--run-python", is_flag=True, help="Run FILE, a .py or a module, and take its rows.")
def import_(
    names: tuple[str, ...], force: bool, maps: tuple[str, ...], guess: bool, **hints: Any
) -> None:
    r"""Load FILE into TABLE (raw/orders; default: named as the file).

    CSV, a sheet of an .xlsx workbook, or JSON lines, plain, gzipped or zipped. Encoding, separator, title
    rows, decimal and thousands signs and dates are recognised over the whole file and told; what can be
    read in two ways is asked for by a flag. NULL is \\N in a CSV. Every wrong row is named and nothing is
    loaded unless all of it is right. The file itself is archived in the backup store.

    Columns that are named otherwise: --map, or a file raw/TABLE.map beside the contract.

    A Python file is run, with all that it does, and only with --run-python.
    """
    if len(names) > 2:
        raise click.UsageError("import takes one TABLE and one FILE")
    with _plain_errors() as settings:
        from orderhe_dagster.commands.import_file import Asked, guess_contract, import_into

        asked = Asked(maps=maps, **hints)
        table, file = names[0] if len(names) == 2 else None, Path(names[-1])
        if guess:
            lines = guess_contract(settings, table, file, asked)
        else:
            lines = import_into(settings, table, file, force=force, asked=asked)
        click.echo(lines)


@main.command(short_help="Materialize assets, for a day or a range of days.")
@click.argument("selection")
@_days(required=False)
@click.option("--allow-empty", is_flag=True, help="Back up tables as empty that had rows before.")
@click.option(
    "--accept",
    type=ACCEPTED,
    multiple=True,
    help="Carry on what a run stops at: the error names the word.",
)
def run(
    selection: str,
    first: date | None,
    last: date | None,
    allow_empty: bool,
    accept: tuple[str, ...],
) -> None:
    """Materialize SELECTION: an asset (mart/daily_sales), '*', or any of Dagster's selections.

    '*mart/daily_sales' is a mart with all that it needs, from the backups on; a plus is one step up.
    A range of days is one run. Without days, partitioned assets run for yesterday.
    """
    with _plain_errors() as settings:
        from orderhe_dagster.commands.run import launch

        window = _window(first, last)
        outcome = launch(settings, selection, window, may_be_empty=allow_empty, accept=accept)
        for line in outcome.lines():
            click.echo(line)
        from orderhe_dagster.commands.janitor import after_a_run
        from orderhe_dagster.commands.plan_kept import beside_the_plan

        for line in (*beside_the_plan(settings, outcome), *after_a_run(settings)):
            click.echo(line)
        if not outcome.succeeded:
            sys.exit(1)


@main.command(short_help="What a run would do and cost, before it does.")
@click.argument("selection", required=False)
@_days(required=False)
@click.option("--allow-empty", is_flag=True, help="As of `orderhe run`.")
@click.option(
    "--accept",
    type=ACCEPTED,
    multiple=True,
    help="As of `orderhe run`.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How the plan is printed.",
)
@click.option("--rpu", type=click.IntRange(4, 1024), help="Base capacity of the workgroup.")
@click.option(
    "--quick", is_flag=True, help="Rehearse nothing: what hangs on unknown rows stays open."
)
@click.option(
    "--last", "is_last", is_flag=True, help="The last run, beside what was planned of it."
)
def plan(
    selection: str | None,
    first: date | None,
    last: date | None,
    allow_empty: bool,
    accept: tuple[str, ...],
    form: str,
    rpu: int | None,
    quick: bool,
    is_last: bool,
) -> None:
    """Say what `orderhe run SELECTION` would do, and change nothing: days, why, rows, files, money.

    SELECTION and days are those of `orderhe run`. Ends with code 1 where a step of the run would stop.
    """
    if (selection is None) is not is_last:
        raise click.UsageError("plan takes a SELECTION, such as '*', or --last")
    with _plain_errors() as settings:
        from orderhe_dagster.commands.plan_kept import last_run
        from orderhe_dagster.commands.plan_report import plan_run

        if selection is None:
            lines, stops = last_run(settings, form), False
        else:
            asked = (_window(first, last), allow_empty, accept)
            lines, stops = plan_run(settings, selection, *asked, form, rpu, is_quick=quick)
        for line in lines:
            click.echo(line)
        if stops:
            sys.exit(1)


@main.command(short_help="Remove what has had its time: old generations, old logs, remains.")
@click.option("--dry-run", is_flag=True, help="List what would be removed; nothing is.")
@click.option("--all", "everything", is_flag=True, help="Look for remains of any age.")
def janitor(dry_run: bool, everything: bool) -> None:
    """Remove generations of backups and logs of runs that have had their time, and what killed runs left.

    How long they have is ORDERHE_KEEP_GENERATIONS, _RUN_DAYS and _ORPHAN_HOURS. The job `janitor` does the
    same, each night where its schedule is on; on a laptop `orderhe run` does it once a day.
    """
    with _plain_errors() as settings:
        from orderhe_dagster.commands.janitor import clean_up

        for line in clean_up(settings, dry_run=dry_run, everything=everything):
            click.echo(line)


@main.command(short_help="Show what is wrong now, and tell whom ORDERHE_ALERTS names.")
@click.option("--test", "trial", is_flag=True, help="Send a trial message to every address.")
def alerts(trial: bool) -> None:
    """Show what is wrong now: failed runs and checks, late data, ticks that fail, a daemon that is gone.

    Whoever ORDERHE_ALERTS names is told once when a problem begins, and once when it has ended: by the
    sensor `alerts`, at the end of every `orderhe run`, and by this command, which cron may start.
    """
    with _plain_errors() as settings:
        from orderhe_dagster.commands.alerts import open_incidents, try_addresses

        for line in try_addresses(settings) if trial else open_incidents(settings):
            click.echo(line)


@main.command(short_help="Prove that all copies are equal; mend what differs.")
@click.argument("tables", nargs=-1, metavar="[TABLE]...")
@_days(required=False)
@click.option("--repair", is_flag=True, help="Mend what differs, in one run, and prove it again.")
@click.option(
    "--report",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write all of it to FILE: .md for people, .json for programs.",
)
def prove(
    tables: tuple[str, ...],
    first: date | None,
    last: date | None,
    repair: bool,
    report: Path | None,
) -> None:
    """Prove that source, backup and warehouse hold the same rows, and that models are as they were built.

    TABLE is a raw table (orders) or a model (mart/daily_sales); without one, all are proven: every day,
    and what lies outside of the days, or the days from --from to --to. What differs is shown by key and
    column. Exit code 1 where anything differs.
    """
    with _plain_errors() as settings:
        from orderhe_dagster.commands.prove import run_prove

        window = _window(first, last)
        if not run_prove(settings, tables, window, click.echo, repair=repair, file=report):
            sys.exit(1)


@main.command(short_help="Show the rows that could not be carried; read them again.")
@click.argument("tables", nargs=-1, metavar="[TABLE]...")
@_days(required=False)
@click.option("--rows", "each", is_flag=True, help="List each row: its key, its day, why.")
@click.option("--history", is_flag=True, help="What stood there before, and does no more.")
@click.option(
    "--replay",
    is_flag=True,
    help="Read the days of these rows again, in one run, and load what can be carried now.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "csv", "json"]),
    default="table",
    show_default=True,
    help="How rows are printed.",
)
def quarantine(
    tables: tuple[str, ...],
    first: date | None,
    last: date | None,
    each: bool,
    history: bool,
    replay: bool,
    form: str,
) -> None:
    """Show what stands in quarantine: the rows that could not be carried, by column and reason.

    TABLE is a raw table (orders); without one, all are shown: every day, or the days from --from to --to.
    --replay is for when the cause is mended: the rows in the shop's database, or @bad_values in the
    contract. Exit code 1 where something of it could not be read, or the run failed.
    """
    if replay and (each or history or form != "table"):
        raise click.UsageError("--replay takes TABLEs, --from and --to, and nothing else")
    with _plain_errors() as settings:
        from orderhe_dagster.commands import quarantine as verbs

        asked = verbs.Asked(tables, _window(first, last), each, history, form)
        if replay:
            done = verbs.replay(settings, asked, click.echo)
        else:
            is_table = form == "table"
            done = verbs.show(
                settings, asked, sys.stdout, lambda text: click.echo(text, err=not is_table)
            )
        if not done:
            sys.exit(1)


@main.command(short_help="Find what keeps the road from being passable, and its cure.")
@click.option(
    "--sql", is_flag=True, help="Send statements to Redshift, too (Serverless bills a minute)."
)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.option("--fix", is_flag=True, help="Mend files and modes of this machine, after asking.")
@click.option("--yes", is_flag=True, help="With --fix: without asking.")
def doctor(sql: bool, as_json: bool, fix: bool, yes: bool) -> None:
    """Walk the whole road and say what is ok, failed, unknown (not allowed to look) or skipped.

    From settings, names, ports and logins to rights, a COPY, schedules and the disk. Every failure says why,
    how that is known, and the one fix. AWS is asked where its credentials allow, and only read: its fixes are
    printed, never applied. Exit code 1 where anything failed.
    """
    if yes and not fix:
        raise click.UsageError("--yes is for --fix")
    if fix and as_json and not yes:
        raise click.UsageError("--fix asks, and --json is for programs: add --yes")
    with _errors_told():
        from orderhe_dagster.commands.doctor import Asked, run_doctor

        def agree(will: str) -> bool:
            return yes or click.confirm(f"{will}?", err=True)

        def note(text: str) -> None:
            if sys.stderr.isatty():
                click.echo(text, err=True)

        if not run_doctor(Asked(sql, as_json, fix, agree, note), click.echo):
            sys.exit(1)


@main.group(short_help="What stands at AWS, as settings of this project.")
def infra() -> None:
    """The stacks made of the templates in `infra/` (docs/infra.md): what they tell this project."""


@infra.command(short_help="Print the stacks' outputs as lines of .env.")
@click.option(
    "--stack-prefix",
    default="orderhe",
    show_default=True,
    metavar="NAME",
    help="What comes before -network, -bucket, -mysql and -redshift in the stacks' names.",
)
def env(stack_prefix: str) -> None:
    """Print ORDERHE_* lines for the bucket, MySQL and Redshift that the stacks made: `… > .env`.

    No password is among them: the databases' are asked of Secrets Manager at each connection. A stack that is
    missing is named with the command that makes it, and the exit code is 1.
    """
    with _errors_told():
        from orderhe_dagster.commands.infra import env_of_stacks

        found = env_of_stacks(stack_prefix)
        for line in found.lines:
            click.echo(line)
        for text in (*found.problems, *found.notes):
            click.echo(text, err=True)
        if found.problems:
            sys.exit(1)


_CHOOSING = ("--table", "--from", "--to", "--as-of", "--generation", "--dry-run")
_RESTORE_OPTIONS: dict[str, tuple[str, ...]] = {
    "warehouse": _CHOOSING,
    "source": ("--into", *_CHOOSING),
    "index": ("--table",),
    "--check": ("--table",),
    "--drill": ("--seed",),
    "--verify": (),
}
"""What `orderhe restore` does, and the options that each takes."""


@main.command(short_help="Make warehouse or source again from the backups alone.")
@click.argument("what", type=click.Choice(["warehouse", "source", "index"]), required=False)
@click.option(
    "--into",
    default="",
    metavar="DATABASE",
    help="source: into mysql://user:password@host/database, or duckdb:FILE.",
)
@click.option(
    "--table", "tables", multiple=True, metavar="TABLE", help="This table alone (several: again)."
)
@_days(required=False)
@click.option("--as-of", default="", metavar="MOMENT", help="The state of then: 2026-11-01T03:00.")
@click.option(
    "--generation", type=click.IntRange(min=1), help="This generation of one table's days."
)
@click.option("--dry-run", is_flag=True, help="Look at every object and say what would be done.")
@click.option(
    "--check", is_flag=True, help="Look at every object of the backups, and restore nothing."
)
@click.option(
    "--drill", is_flag=True, help="Restore a random range into scratch; keep a certificate."
)
@click.option(
    "--seed", type=click.IntRange(0, 2**32 - 1), help="With --drill: the range of this seed."
)
@click.option(
    "--verify", metavar="NAME", help="Verify a certificate: its key or file, or `latest`."
)
def restore(
    what: str | None,
    into: str,
    tables: tuple[str, ...],
    first: date | None,
    last: date | None,
    as_of: str,
    generation: int | None,
    dry_run: bool,
    check: bool,
    drill: bool,
    seed: int | None,
    verify: str | None,
) -> None:
    """Make WHAT again from the backups alone, and prove that it is equal to them.

    warehouse: tables and models; the shop's database is not asked. Without options everything, as it was
    backed up last; what is there and right already is measured and left alone.

    source: the shop's tables, into a database where they have no rows yet. All of it, or nothing.

    index: of the backups themselves, where it is damaged or gone.

    What cannot be restored is named with its object and day, and nothing is changed then. --drill tries
    it without touching anything that is read.
    """
    _check_restore(
        {what or "": bool(what), "--check": check, "--drill": drill, "--verify": bool(verify)},
        {
            **{"--into": into, "--table": tables, "--from": first, "--to": last, "--as-of": as_of},
            **{"--generation": generation, "--dry-run": dry_run, "--seed": seed is not None},
        },
    )
    with _plain_errors() as settings:
        from orderhe_dagster.commands import restore as verbs

        asked, done = verbs.Asked(tables, _window(first, last), as_of, generation), True
        if drill:
            done = verbs.run_drill(settings, seed, click.echo)
        elif verify:
            done = verbs.verify_certificate(settings, verify, click.echo)
        elif check:
            done = verbs.check_backups(settings, asked, click.echo)
        elif what == "index":
            verbs.restore_index(settings, asked, click.echo)
        elif what == "source":
            verbs.restore_source(settings, asked, into, click.echo, dry_run=dry_run)
        else:
            done = verbs.restore_warehouse(settings, asked, click.echo, dry_run=dry_run)
        if not done:
            sys.exit(1)


def _check_restore(verbs: Mapping[str, bool], options: Mapping[str, object]) -> None:
    """See that one thing is asked for, and nothing besides that it does not take. UsageError."""
    asked = [name for name, is_asked in verbs.items() if is_asked]
    if len(asked) > 1:
        raise click.UsageError(f"{' and '.join(asked)} are asked for at once: give one of them")
    if not asked:
        raise click.UsageError(
            "say what to restore: orderhe restore warehouse, or source; or --check, --drill, --verify"
        )
    taken = _RESTORE_OPTIONS[asked[0]]
    for name, value in options.items():
        if value and name not in taken:
            takes = ", ".join(taken) or "nothing besides"
            raise click.UsageError(f"{name} is not for {asked[0]}, which takes {takes}")


@main.command("test", short_help="Run the examples of sql/examples.")
@click.argument("tables", nargs=-1, metavar="[TABLE]...")
def test_models(tables: tuple[str, ...]) -> None:
    """Run the examples of sql/examples: rows given, rows expected, on a warehouse in memory.

    TABLE is a model (mart/daily_sales) or a layer (mart/*); without one, all are tested.
    """
    with _plain_errors() as settings:
        from orderhe_dagster.commands.examples import try_examples

        if not try_examples(settings, tables, click.echo):
            sys.exit(1)


class _SqlCommand(click.Command):
    """A command whose argument may begin with a comment of SQL, `-- like this`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keep SQL from being taken for an option: a name of one has no blanks."""
        return super().parse_args(ctx, [_unlike_an_option(arg) for arg in args])


def _unlike_an_option(arg: str) -> str:
    name = arg.partition("=")[0]
    return f" {arg}" if arg.startswith("--") and len(name.split()) > 1 else arg


@main.command(cls=_SqlCommand, short_help="Run one Redshift statement and print its rows.")
@click.argument("sql")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "csv", "json"]),
    default="table",
    show_default=True,
    help="How rows are printed.",
)
def query(sql: str, form: str) -> None:
    """Run one Redshift statement against the warehouse and print its rows."""
    with _plain_errors() as settings:
        from orderhe_dagster.commands.query import run_query
        from orderhe_dagster.rendering.printing import print_result

        print_result(run_query(settings, sql), form, sys.stdout)


@main.group(short_help="Hand dashboard and exports out; the warehouse stays closed.")
def publish() -> None:
    """Hand dashboard and exports out without opening the warehouse; docs/bi.md ranks the ways."""


_EXPIRES = click.option(
    "--expires",
    type=LIFETIME,
    default="7d",
    show_default=True,
    help="How long links last: 30m, 12h, 7d at most.",
)


@publish.command("dashboard", short_help="Dashboard and lineage by links that end.")
@_EXPIRES
def publish_dashboard(expires: timedelta) -> None:
    """Put the dashboard and the lineage into the store, and print links that end."""
    with _plain_errors() as settings:
        from orderhe_dagster.commands import publish as verbs

        for line in verbs.publish_dashboard(settings, expires):
            click.echo(line)


@publish.command("exports", short_help="Copies of exports in a folder, or by links that end.")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option(
    "--to", default="s3", show_default=True, metavar="FOLDER|s3", help="Where copies are put."
)
@_EXPIRES
def publish_exports(names: tuple[str, ...], to: str, expires: timedelta) -> None:
    """Put copies of exports into a folder, or into the store with links that end.

    NAME is an export (daily_sales); without one, all are handed out: each CSV, and what its columns mean.
    """
    with _plain_errors() as settings:
        from orderhe_dagster.commands import publish as verbs

        for line in verbs.publish_exports(settings, names, to, expires):
            click.echo(line)


@publish.command("withdraw", short_help="End every link now.")
def publish_withdraw() -> None:
    """Take away all that was published in the store: every link ends now."""
    with _plain_errors() as settings:
        from orderhe_dagster.commands import publish as verbs

        click.echo(verbs.withdraw(settings))


@publish.command("sql", short_help="Print what makes a user who reads marts alone.")
@click.option("--user", default="bi", show_default=True, help="The user to be made.")
@click.option(
    "--loader", default="", help="Who makes the marts (default: ORDERHE_REDSHIFT_USER, or loader)."
)
def publish_sql(user: str, loader: str) -> None:
    """Print the statements that make a user who reads marts and nothing else. Nothing is run."""
    with _plain_errors() as settings:
        from orderhe_dagster.commands import publish as verbs

        for line in verbs.bi_sql(settings, user, loader):
            click.echo(line)


@publish.command("endpoint", short_help="Print how the warehouse is opened to a BI tool.")
def publish_endpoint() -> None:
    """Print the steps that open the warehouse to a BI tool of the cloud. Nothing is done."""
    from orderhe_dagster.commands.publish import ENDPOINT

    click.echo(ENDPOINT)


@main.group()
def warehouse() -> None:
    """Share the embedded warehouse with other programs."""


@warehouse.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", "-p", default=5439, show_default=True, help="Port; 0: a free one.")
@click.option("--user", default="admin", show_default=True, help="Who may connect.")
@click.option(
    "--password-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file that holds the password (default: one made in the home, for you alone).",
)
@click.option(
    "--certificate",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The server's certificate, PEM (default: one made in the home, with its CA).",
)
@click.option(
    "--key",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The certificate's key, PEM.",
)
@click.option("--insecure", is_flag=True, help="Without TLS: on this machine alone.")
@click.option(
    "--roles",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A file of the IAM roles that COPY and UNLOAD may name (default: any may do all).",
)
@click.option(
    "--isolation",
    type=click.Choice(["snapshot", "serializable"]),
    default="snapshot",
    show_default=True,
    help="The isolation level of transactions.",
)
@click.option(
    "--data-api",
    type=click.IntRange(0, 65535),
    is_flag=False,
    flag_value=5440,
    metavar="[PORT]",
    help="Serve the Data API, too: HTTP, on this port (5440; 0: a free one).",
)
def serve(
    host: str,
    port: int,
    user: str,
    password_file: Path | None,
    certificate: Path | None,
    key: Path | None,
    insecure: bool,
    roles: Path | None,
    isolation: str,
    data_api: int | None,
) -> None:
    """Serve the warehouse on Redshift's wire protocol: for several programs at once, psql, BI.

    Prints the ORDERHE_REDSHIFT_* lines that a client needs. Ctrl-C stops it; what is open is rolled back.
    """
    with _plain_errors() as settings:
        from orderhe_dagster.commands.serve import Serving
        from orderhe_dagster.commands.serve import serve as serve_warehouse

        asked = Serving(
            *(host, port, user, password_file, certificate, key, insecure, roles, isolation),
            data_api,
        )
        serve_warehouse(settings, asked, click.echo)


if __name__ == "__main__":
    main()
