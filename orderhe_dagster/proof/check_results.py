"""The latest result of each check, `warehouse._checks`, and the refusal to build on a failed one.

Who judges what, and when, is said by `judgement`.

A claim (`claims`) is what a table promises, an agreement (`agreement`) is source = backup = warehouse; a
check result is what the latest judgement of one of them came to. A blocking check stops what follows
in its own run; kept here, its result stops later runs too, until the check passes again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone

from orderhe_dagster.catalog.segments import Segment
from orderhe_dagster.catalog.table import Catalogue, Table, TableRef
from orderhe_dagster.errors import counted
from orderhe_dagster.ports.errors import UNDEFINED_TABLE, PortError, StatementError
from orderhe_dagster.ports.warehouse import Session
from orderhe_dagster.proof.claims import claims_of
from orderhe_dagster.proof.quarantine_limit import FEW_IN_QUARANTINE, mend_quarantined
from orderhe_dagster.road import audit
from orderhe_dagster.road.audit import CHECKS, JUDGED, literal
from orderhe_dagster.road.remedies import again_command, replay_command, run_command

AGREES = "agrees_with_source_and_backup"
"""The check of every loaded table that `agreement` makes."""
HELD_BACK = "nothing_held_back"
"""What a load keeps of every loaded table: failed as long as it holds rows back (`staging`)."""
_SHOWN = 5
_MOMENT = "%Y-%m-%d %H:%M:%S"
_COLUMNS = (
    "table_name, claim, passed, wrong_rows, only_stale, checked_at, run_id,"
    " days, source_rows, backup_rows, warehouse_rows"
)
_AGES = "segments_held, never_proven, oldest_proof"


class FailedCheckError(PortError):
    """What a table is built from has failed a check. Names table, claim, rows and the next action."""


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """What the latest judgement of one claim, or of the agreement, came to.

    `wrong_rows` counts the rows that break it; of the proof, the segments that differ. The last are the
    proof's alone: how many segments (`days`) it compared and the rows of each copy of them; and of all
    that the table has, how many segments those are, how many never were proven, and since when the
    others are (UTC).
    """

    table_name: str  # as SQL writes it: warehouse.orders
    claim: str
    passed: bool
    wrong_rows: int
    checked_at: datetime  # UTC
    run_id: str
    only_stale: bool = False  # it failed because a copy is older, and none is wrong
    days: int | None = None
    source_rows: int | None = None
    backup_rows: int | None = None
    warehouse_rows: int | None = None
    segments_held: int | None = None
    never_proven: int | None = None
    oldest_proof: datetime | None = None

    @property
    def blocks(self) -> bool:
        """Whether nothing may be built on the table: it failed, and not for being stale alone."""
        return not (self.passed or self.only_stale)

    def sentence(self) -> str:
        """The failure in one sentence."""
        unit = "day differs", "days differ"
        if self.claim == FEW_IN_QUARANTINE:
            unit = "row is in quarantine", "rows are in quarantine"
        elif self.claim == HELD_BACK:
            unit = "row is held back", "rows are held back"
        elif self.claim != AGREES:
            unit = "row breaks it", "rows break it"
        return (
            f"{self.table_name.replace('.', '/')} failed its check {self.claim} at "
            f"{self.checked_at:%Y-%m-%d %H:%M} UTC: {counted(self.wrong_rows, *unit)}"
        )


def record(
    session: Session,
    table_name: str,
    results: Sequence[CheckResult],
    claims: Collection[str],
    contents: Mapping[str, str] | None = None,
) -> None:
    """Keep the results of some of a table's claims, in one transaction.

    `claims` names those that its files make and whose results stay: what is kept of any other goes.
    `contents` are what was judged (see `judgement`), by the names under which they are kept.
    """
    stay = sorted({*claims} - {result.claim for result in results})
    gone = f" and claim not in ({', '.join(map(literal, stay))})" if stay else ""
    statements = [f"delete from {CHECKS} where table_name = {literal(table_name)}{gone}"]
    if results:
        values = ",\n".join(map(_values, results))
        statements.append(f"insert into {CHECKS} ({_COLUMNS}, {_AGES}) values\n{values}")
    if contents:
        rows = ", ".join(f"({literal(name)}, {literal(text)})" for name, text in contents.items())
        names = ", ".join(map(literal, contents))
        statements.append(f"delete from {JUDGED} where table_name in ({names})")
        statements.append(f"insert into {JUDGED} values {rows}")
    try:
        session.transaction(statements)
    except StatementError as error:
        if error.code not in (UNDEFINED_TABLE, audit.UNDEFINED_COLUMN):
            raise
        audit.prepare(session)  # a warehouse that was filled before results were kept
        session.transaction(statements)


def _values(result: CheckResult) -> str:
    numbers = (result.days, result.source_rows, result.backup_rows, result.warehouse_rows)
    ages = (result.segments_held, result.never_proven)
    return "({})".format(
        ", ".join(
            (
                literal(result.table_name),
                literal(result.claim),
                str(result.passed).lower(),
                str(result.wrong_rows),
                str(result.only_stale).lower(),
                _moment(result.checked_at),
                literal(result.run_id),
                *("null" if number is None else str(number) for number in (*numbers, *ages)),
                _moment(result.oldest_proof) if result.oldest_proof else "null",
            )
        )
    )


def _moment(at: datetime) -> str:
    return literal(f"{at.astimezone(timezone.utc):{_MOMENT}}")


def check_results(
    session: Session, catalogue: Catalogue | None = None, blocking: bool = False
) -> list[CheckResult]:
    """The latest result of each claim, by table and claim; none where nothing was ever checked.

    With a `catalogue`, only those of claims that its files still make; `blocking`: those alone.
    """
    where = " where not passed and not only_stale" if blocking else ""
    order = f"from {CHECKS}{where} order by table_name, claim"
    try:
        result = session.execute(f"select {_COLUMNS}, {_AGES} {order}")
    except StatementError as error:
        if error.code == UNDEFINED_TABLE:
            return []
        if error.code != audit.UNDEFINED_COLUMN:
            raise
        result = session.execute(  # of an earlier version, that nothing has written to since
            f"select {_COLUMNS}, null::int as segments_held, null::int as never_proven,"
            f" null::timestamp as oldest_proof {order}"
        )
    results = [_check_result(row) for row in result.rows]
    if catalogue is None:
        return results
    claims = {
        str(table.read_as): claim_names(catalogue, table.read_as)
        for table in catalogue.tables
        if table.layer != "export"
    }
    return [result for result in results if result.claim in claims.get(result.table_name, ())]


def results_of(session: Session, table_name: str) -> dict[str, CheckResult]:
    """The latest result of each check of one table, by its claim; none where nothing was ever checked."""
    where = f"from {CHECKS} where table_name = {literal(table_name)}"
    try:
        result = session.execute(f"select {_COLUMNS}, {_AGES} {where}")
    except StatementError as error:
        if error.code not in (UNDEFINED_TABLE, audit.UNDEFINED_SCHEMA, audit.UNDEFINED_COLUMN):
            raise
        return {}  # never written to, or by an earlier version: all is checked anew
    results = map(_check_result, result.rows)
    return {result.claim: result for result in results}


def note_ages(session: Session, result: CheckResult) -> None:
    """Keep what is known now of the ages of a table's proofs, where its agreement stays what it was."""
    oldest = f"{_moment(result.oldest_proof)}::timestamp" if result.oldest_proof else "null"
    session.execute(
        f"update {CHECKS} set segments_held = {result.segments_held},"
        f" never_proven = {result.never_proven}, oldest_proof = {oldest}"
        f" where table_name = {literal(result.table_name)} and claim = {literal(result.claim)}"
    )


def has_failed(session: Session, table_name: str, claim: str) -> bool:
    """Whether a claim has failed, by what is kept."""
    name, own = literal(table_name), literal(claim)
    where = f"table_name = {name} and claim = {own} and not passed"
    return bool(session.execute(f"select count(*) from {CHECKS} where {where}").scalar())


def _check_result(row: Sequence[object]) -> CheckResult:
    names = [name.strip() for name in f"{_COLUMNS}, {_AGES}".split(",")]
    values = dict(zip(names, row, strict=True))
    for name in ("checked_at", "oldest_proof"):
        at = values[name]
        values[name] = at.replace(tzinfo=timezone.utc) if isinstance(at, datetime) else None
    return CheckResult(**values)  # type: ignore[arg-type]


def claim_names(catalogue: Catalogue, ref: TableRef) -> Collection[str]:
    """The names of the checks that stop what is built on the table which SQL calls `ref`."""
    table = catalogue.get(ref)
    names = {claim.name for claim in claims_of(catalogue, table, ref.layer)}
    return names | {AGREES, FEW_IN_QUARANTINE, HELD_BACK} if table.layer == "raw" else names


def refuse_failed(
    session: Session,
    catalogue: Catalogue,
    table: Table,
    where: Callable[[TableRef, Collection[str]], Collection[Segment]],
) -> None:
    """Raise FailedCheckError where a table that `table` reads has failed one of its claims, by what is kept.

    Its own claims are not asked: to build it again is how it is mended. `where` says in which segments a
    table broke some of its claims.
    """
    read = {str(ref): ref for ref in table.depends_on}
    failed = [
        result
        for result in check_results(session, blocking=True)
        if result.blocks
        and (ref := read.get(result.table_name)) is not None
        and result.claim in claim_names(catalogue, ref)
    ]
    if failed:
        texts = [result.sentence() for result in failed[:_SHOWN]]
        if len(failed) > _SHOWN:
            texts.append(f"and {len(failed) - _SHOWN:,} more")
        remedies = []
        for ref in dict.fromkeys(read[result.table_name] for result in failed):
            names = [one.claim for one in failed if one.table_name == str(ref)]
            remedies.append(remedy(catalogue, ref, names, where(ref, names)))
        raise FailedCheckError(
            f"{'; '.join(texts)}. Nothing is built on wrong rows: {table.layer}/{table.name} is left as "
            f"it was, until its checks pass. {'; '.join(remedies)}"
        )


def remedy(
    catalogue: Catalogue,
    ref: TableRef,
    failed: Collection[str],
    segments: Collection[Segment] = (),
) -> str:
    """What to do about a table (as SQL calls it) that failed these claims, a command at the end.

    Its checks run with it. Without `segments`, the command is of the last day and of what has changed.
    """
    table, asset = catalogue.get(ref), f"{ref.layer}/{ref.name}"
    again = again_command(ref.name, segments)
    if set(failed) == {AGREES}:
        return f"Back it up and load it again: {again}"
    if set(failed) == {FEW_IN_QUARANTINE}:
        return f"{mend_quarantined(table)}; then: {replay_command(ref.name, segments)}"
    if table.layer == "raw":
        return (
            f"Mend the rows of {ref.name} in the shop's database (or the claim in sql/checks), "
            f"then: {again}"
        )
    return (
        f"Mend what {asset} is built from, its select in {table.path} or the claim, "
        f"then: {run_command(asset, segments)}"
    )
