"""What `orderhe adopt` says: a screen of it for whoever ran it, and all of it, table by table, for a file."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from orderhe_dagster.errors import counted
from orderhe_dagster.intake.adopt.adopter import Adopted, Adoption, late_change
from orderhe_dagster.intake.adopt.choose import moves_by_itself

WHOLE_FILE = "adopted.txt"
"""The file beside `raw/` that has all of it."""
_LARGEST, _DECISIONS, _NAMED = 6, 8, 4
_INDEX = "create index "
_HEADS = ("table", "rows, about", "primary key", "@partition", "@cursor", "contract")


def screen(adoption: Adoption, folder: Path, settings_sql: Path) -> Iterator[str]:
    """The screen: counts, the largest tables, what needs a decision, what was left out, what comes next."""
    tables = adoption.tables
    outcomes = Counter[str](one.outcome for one in tables)
    also = [
        f"{outcomes[word]} {text}"
        for word, text in (
            ("unchanged", "as they were"),
            ("kept", "left as they are (--force writes them anew)"),
        )
        if outcomes[word]
    ]
    written = f"{outcomes['written']} of {len(tables)} contracts written to {folder / 'raw'}"
    yield "; ".join([f"{adoption.where}: {written}", *also])
    yield f"  {_cuts(adoption)}"
    yield from _largest(tables)
    decisions = [*_decisions(adoption)]
    if decisions:
        yield "To look over:"
        yield from (f"  {text}" for text in decisions[:_DECISIONS])
        if len(decisions) > _DECISIONS:
            yield f"  and {len(decisions) - _DECISIONS} more in the file below"
    yield f"Table by table, with all reasons: {folder / WHOLE_FILE}"
    yield "Next:"
    if folder.resolve() != settings_sql.resolve():
        yield f"  export ORDERHE_SQL={shlex.quote(str(folder.resolve()))}"
    yield "  orderhe start"
    yield "  orderhe run '*'"


def whole(adoption: Adoption) -> Iterator[str]:
    """All of it: a table of the tables, then each one's reasons, costs and what was left out."""
    yield f"What `orderhe adopt` saw in {adoption.where}"
    yield ""
    rows = [_HEADS, *(_cells(one) for one in adoption.tables)]
    widths = [max(len(row[n]) for row in rows) for n in range(len(_HEADS))]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
    yield ""
    for one in adoption.tables:
        yield from _notes(one, adoption.nights)
    yield from adoption.alike


def _cells(one: Adopted) -> tuple[str, ...]:
    return (
        one.name,
        f"{one.rows:,}",
        ", ".join(one.key) or "none",
        one.partition.column or "whole",
        one.cursor.column or "none",
        one.outcome,
    )


def _cuts(adoption: Adoption) -> str:
    """How many tables are read how, and how many have no contract, by kind."""
    there = [one for one in adoption.tables if one.outcome != "refused"]
    by_day = [one for one in there if one.partition.column]
    through = [one for one in by_day if "->" in str(one.partition.column)]
    text = f"{len(by_day)} by day"
    text += f" ({len(through)} of them by their parent's)" if through else ""
    text += f", {len(there) - len(by_day)} whole every night"
    kinds = Counter(_kind(one.left_out[0]) for one in adoption.tables if one.outcome == "refused")
    if kinds:
        text += f"; no contract: {', '.join(counted(n, kind) for kind, n in kinds.most_common(3))}"
    columns = sum(len(one.columns_left_out) for one in there)
    text += f"; {counted(columns, 'column')} left out" if columns else ""
    left = adoption.not_chosen
    return text + (f"; {counted(left, 'table')} not chosen" if left else "")


def _kind(why: str) -> str:
    """What something without a contract is: a view, or a table that cannot be carried."""
    said, a, rest = why.partition("it is a ")
    return rest.partition(",")[0] if a and not said else "table that cannot be carried"


def _largest(tables: Sequence[Adopted]) -> Iterator[str]:
    there = sorted((one for one in tables if one.outcome != "refused"), key=lambda one: -one.rows)
    rows = [
        (_HEADS[0], _HEADS[1], *_HEADS[3:5]),
        *((*_cells(o)[:2], *_cells(o)[3:5]) for o in there),
    ]
    rows = rows[: _LARGEST + 1]
    widths = [max(len(row[n]) for row in rows) for n in range(4)]
    for row in rows:
        yield "  " + "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip()


def _decisions(adoption: Adoption) -> Iterator[str]:
    """What somebody should know or decide, the gravest first, each on one line."""
    there = [one for one in adoption.tables if one.outcome != "refused"]
    by_size = sorted(there, key=lambda one: -one.rows)
    apart = [text for one in by_size for text in one.apart]
    if apart:
        yield f"would go to quarantine: {_listed(apart)}"
    nulls = [
        f"{one.name}.{column} ({count:,}{_of(one)})"
        for one in by_size
        for column, count in one.nulls.items()
        if count
    ]
    if nulls:
        yield f"no real days become NULL and are counted: {_listed(nulls)}"
    unseen = [one for one in by_size if one.problem]
    if unseen:
        yield f"not looked at: {_listed([f'{o.name} ({o.problem})' for o in unseen])}"
    by_day = [one for one in by_size if one.partition.column]
    indexes = [cost for one in by_day for cost in one.partition.costs if _INDEX in cost]
    if indexes:
        statement = f"{_INDEX}{indexes[0].partition(_INDEX)[2]}"
        yield f"no index on the day of {counted(len(indexes), 'table')}; of the largest: {statement}"
    undated = [
        f"{o.name} ({c.partition(' ')[0]})"
        for o in by_day
        for c in o.partition.costs
        if "outside" in c
    ]
    if undated:
        yield f"rows without a day, in the segment `outside`: {_listed(undated)}"
    yield from _late(there, adoption.nights)
    unsure = [one for one in by_size if one.partition.column and one.partition.others]
    if unsure:
        name, other = unsure[0].name, unsure[0].partition.others[0]
        yield (
            f"more than one column could be the day of {counted(len(unsure), 'table')}; the other one of the "
            f"largest: --partition {name}={other}"
        )
    yield from [
        f"{one.name}: {cost}"
        for one in by_size
        if not one.partition.column
        for cost in one.partition.costs
    ][:1]
    keyless = [one.name for one in there if not one.key]
    if keyless:
        yield f"no primary key, so that equal rows cannot be told apart: {_listed(keyless)}"
    if adoption.alike:
        yield f"names that fall together: {adoption.alike[0]}"
    yield "no column was marked @pii: say in each header which hold personal data"


def _late(there: Sequence[Adopted], nights: int) -> Iterator[str]:
    late = [one for one in there if one.partition.column and not moves_by_itself(one.cursor)]
    if late:
        late.sort(key=lambda one: -one.rows)
        yield (
            f"a late change on an old day that no column of MySQL's own tells is seen by the proof, within "
            f"about {counted(nights, 'night')}: {_listed([one.name for one in late])}"
        )
        yield f"  the same night with: {late[0].cursor.costs[0]}"


def _listed(texts: Sequence[str]) -> str:
    more = f" and {len(texts) - _NAMED} more" if len(texts) > _NAMED else ""
    return ", ".join(texts[:_NAMED]) + more


def _notes(one: Adopted, nights: int) -> Iterator[str]:
    """All that is to be said of one table."""
    name = one.name
    if one.outcome == "refused":
        yield f"{one.source_name}: no contract: {one.left_out[0]}"
        return
    if name != one.source_name:
        yield f"{name}: so we call the shop's table {one.source_name!r}"
    choices = (("@partition", one.partition), ("@cursor", one.cursor))
    yield f"{name}: " + "; ".join(
        f"{key} {choice.column or 'none'} ({choice.why})" for key, choice in choices
    )
    yield from (f"{name}: {cost}" for cost in one.partition.costs)
    if one.partition.others:
        other = one.partition.others[0]
        yield f"{name}: by {other} with --partition {name}={other}"
    if one.partition.column and not moves_by_itself(one.cursor):
        yield f"{name}: {late_change(one.cursor, nights)}; the same night with: {one.cursor.costs[0]}"
    if one.problem:
        yield f"{name}: its values were not looked at: {one.problem}"
    elif one.is_sample:
        yield f"{name}: looked at: {one.looked_at:,} rows, the first and the last by its key"
    for column, count in one.nulls.items():
        yield f"{name}: {column}: {_becoming_null(one, count)}"
    yield from (f"{name}: {text}: these rows go to quarantine" for text in one.apart)
    if not one.key:
        yield f"{name}: without a primary key, two equal rows cannot be told apart"
    yield from (f"{name}: left out: {text}" for text in one.left_out)
    if one.outcome == "kept":
        yield f"{name}: the file differs and was left as it is; --force writes it anew"


def _of(one: Adopted) -> str:
    return f" of the {one.looked_at:,} looked at" if one.is_sample else ""


def _becoming_null(one: Adopted, count: int) -> str:
    if not count:
        return "its default is no real day, which becomes NULL"
    return f"what is no real day or no known word becomes NULL: {counted(count, 'value')}{_of(one)}"
