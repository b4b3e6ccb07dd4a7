"""What differs between a contract and the table that its database has, and what each difference means.

Both sides are given as `Field`s; how a database tells of its columns is its adapter's. Which
differences stop an extract is the policy of docs/schema-changes.md: a test holds the page to it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from orderhe_dagster.catalog.errors import Problem, Problems, TypeRefused
from orderhe_dagster.catalog.mysql_types import DECIMAL_DIGITS, base_of, integer_range
from orderhe_dagster.catalog.table import ColumnType, ForeignKey, Table

Effect = Literal["stops", "told", "noted"]
Kind = Literal[
    "added",
    "dropped",
    "renamed",
    "widened",
    "narrowed",
    "re-typed",
    "null allowed",
    "null refused",
    "enum members added",
    "enum members removed",
    "re-ordered",
    "character set",
    "primary key",
    "unique key",
    "foreign key",
]
"""What can differ. `widened`: the shop's type holds more than the contract's; `narrowed`: less."""

_PRINTED_APART = frozenset({"bit", "json", "set", "time", "year"})
"""Types whose values are read in a way of their own: the table must have the very type."""
_STORED_BITS = {"smallint": 16, "integer": 32, "bigint": 64}
_UTF8 = {"utf8": "utf8mb3"}


@dataclass(frozen=True)
class Change:
    """One difference: what the contract has, what the source has ('': nothing), and what follows.

    `column` is '' for a key or the order of the columns; `renamed_to` is the column that a `renamed`
    one is taken for.
    """

    kind: Kind
    column: str
    in_contract: str
    in_source: str
    effect: Effect
    renamed_to: str = ""

    @property
    def stops(self) -> bool:
        """Whether nothing may be read before it is settled: values could be lost, or mean another thing."""
        return self.effect == "stops"


@dataclass(frozen=True)
class Field:
    """A column as one side has it. `shown` is its type for a person.

    `family` groups the types between which values keep their meaning; its first word says by which
    rule two of it are compared. '': a type that is not carried.
    """

    name: str
    shown: str
    family: str
    type: ColumnType | None = None
    bounds: tuple[int, int] | None = None  # of integers
    digits: tuple[int, int] | None = None  # of decimals: in all, behind the point
    length: int = 0  # of texts and bytes, in bytes
    members: tuple[str, ...] = ()  # of enum and set
    nullable: bool = True
    charset: str = ""  # '': not said
    collation: str = ""


@dataclass(frozen=True)
class Keys:
    """The keys of a table, columns in lower case."""

    primary: tuple[str, ...] = ()
    unique: frozenset[tuple[str, ...]] = frozenset()
    foreign: frozenset[tuple[tuple[str, ...], str, tuple[str, ...]]] = frozenset()


def compare(
    table: Table,
    promised: Sequence[Field],
    live: Sequence[Field],
    keys: tuple[Keys, Keys] | None = None,
) -> list[Change]:
    """All that differs, what stops first. `keys`: the contract's and the source's; None: not known."""
    there = {one.name.lower(): one for one in live}
    ours = {one.name.lower(): one for one in promised}
    changes = [*_missing_and_new(promised, live, {one_line(name) for name in table.leave_out})]
    for one in promised:
        if one.name.lower() in there:
            changes += _of_column(one, there[one.name.lower()])
    common = [name for name in ours if name in there]
    if [name for name in there if name in ours] != common:
        theirs = ", ".join(one.name for one in live if one.name.lower() in ours)
        mine = ", ".join(one.name for one in promised if one.name.lower() in there)
        changes.append(Change("re-ordered", "", mine, theirs, "noted"))
    if keys is not None:
        changes += _of_keys(*keys)
    return sorted(changes, key=lambda change: ("stops", "told", "noted").index(change.effect))


def sentence(change: Change, table: Table, where: str) -> str:
    """Which side has what; `where` is the source's identity."""
    name = f"{table.source_name}.{change.column}"
    ours, theirs = change.in_contract, change.in_source
    if change.kind == "added":
        return f"{name} is {theirs} in {where}, and {table.path} does not have it"
    if change.kind == "dropped":
        return f"{name} is {ours} in {table.path}, and {where} does not have it"
    if change.kind == "renamed":
        return (
            f"{name} is {ours} in {table.path}, and {where} does not have it: it has {table.source_name}."
            f"{change.renamed_to} of the same type in its place, so it seems to be renamed"
        )
    if change.kind in ("enum members added", "enum members removed"):
        with_it, without = (where, table.path) if theirs else (table.path, where)
        return f"{name} can be {theirs or ours} in {with_it}, and not in {without}"
    if not change.column:
        what = "the columns stand" if change.kind == "re-ordered" else f"the {change.kind} is"
        return f"{table.source_name}: {what} {theirs or 'none'} in {where}, {ours or 'none'} in {table.path}"
    return f"{name} is {theirs} in {where}, {ours} in {table.path}"


def parents_stop(
    table: Table, differing: Callable[[Table], tuple[Sequence[Change], Keys | None]], where: str
) -> list[str]:
    """Why the parents do not tell the days of a child's rows for certain, a sentence each.

    `differing` holds a parent against its contract; its keys are None where they are not known. What stops
    is a column of the way that is gone or another, and a key under which a row could have two parents.
    """
    texts: list[str] = []
    then = [*(step.column for step in table.day_through[1:]), None]
    for step, column in zip(table.day_through, then, strict=True):
        parent = step.parent
        used = {
            parent.source_column(name).lower() for name in (step.key, column or parent.partition)
        }
        changes, keys = differing(parent)
        texts += [
            sentence(change, parent, where)
            for change in changes
            if change.stops and change.column.lower() in used
        ]
        called = {(name.lower(),) for name in (step.key, parent.source_column(step.key))}
        if keys is not None and not called & {keys.primary, *keys.unique}:
            texts.append(
                f"{parent.name}.{step.key} is no primary or unique key in {where}, so a row of "
                f"{table.name} could have two parents and be read twice"
            )
    return texts


def choices(changes: Sequence[Change], table: Table, where: str) -> str:
    """What can be done about differences that are told; '' where there is nothing to be done."""
    if not changes:
        return ""
    added = ", ".join(change.column for change in changes if change.kind == "added")
    leave = f"name in its header what stays out: `-- @leave_out {added}`" if added else ""
    if where.startswith("mysql:"):
        update = (
            f"`orderhe adopt --update {table.name}` shows {table.path} as the table is, and writes it "
            "with --write"
        )
        return f"{update}{f'; or {leave}' if leave else ''}"
    return f"Write {table.path} as the table is{f', or {leave}' if leave else ''}"


def _missing_and_new(
    promised: Sequence[Field], live: Sequence[Field], left_out: Collection[str]
) -> Iterator[Change]:
    ours = {one.name.lower() for one in promised}
    theirs = {one.name.lower() for one in live}
    new = {
        one.name.lower(): one
        for one in live
        if one.name.lower() not in ours and one_line(one.name) not in left_out
    }
    befores = _befores(live, ours)
    for one, before in zip(promised, _befores(promised, theirs).values(), strict=True):
        if one.name.lower() in theirs:
            continue
        taken = next(
            (o for n, o in new.items() if befores[n] == before and not _type_change(one, o)), None
        )
        if taken is None:
            yield Change("dropped", one.name, one.shown, "", "stops")
            continue
        del new[taken.name.lower()]
        yield Change("renamed", one.name, one.shown, taken.shown, "stops", taken.name)
    for one in new.values():
        yield Change("added", one.name, "", _with_null(one), "told")


def one_line(name: str) -> str:
    """A column's name in lower case as a header can hold it, whose keys stand on one line."""
    return re.sub(r"\s", " ", name.lower())


def _with_null(one: Field) -> str:
    return one.shown if one.nullable else f"{one.shown} not null"


def _befores(fields: Sequence[Field], common: Collection[str]) -> dict[str, tuple[str, int]]:
    """Each column's place: the last column before it that both sides have, and how many follow that."""
    places, before, behind = {}, "", 0
    for one in fields:
        name = one.name.lower()
        behind += 1
        places[name] = (before, behind)
        if name in common:
            before, behind = name, 0
    return places


def _of_column(ours: Field, theirs: Field) -> Iterator[Change]:
    name = ours.name
    change = _type_change(ours, theirs)
    if change is not None:
        yield Change(change[0], name, ours.shown, theirs.shown, change[1])
    elif ours.family == theirs.family == "enum":
        yield from _of_members(ours, theirs)
    if theirs.nullable and not ours.nullable:
        yield Change("null allowed", name, "not null", "null", "told")
    if ours.nullable and not theirs.nullable:
        yield Change("null refused", name, "null", "not null", "noted")
    both = ((ours.charset, theirs.charset), (ours.collation, theirs.collation))
    spelt = [(_in_full(mine), _in_full(other)) for mine, other in both]
    differing = [pair for pair in spelt if all(pair) and pair[0] != pair[1]]
    if differing:
        yield Change("character set", name, *differing[0], "noted")


def _in_full(charset: str) -> str:
    """Servers call utf8mb3 `utf8` too, alone and in the names of collations."""
    word, line, rest = charset.lower().partition("_")
    return _UTF8.get(word, word) + line + rest


def _of_members(ours: Field, theirs: Field) -> Iterator[Change]:
    added = [member for member in theirs.members if member not in ours.members]
    removed = [member for member in ours.members if member not in theirs.members]
    if added:
        yield Change("enum members added", ours.name, "", ", ".join(map(repr, added)), "told")
    if removed:
        yield Change("enum members removed", ours.name, ", ".join(map(repr, removed)), "", "noted")


def _type_change(ours: Field, theirs: Field) -> tuple[Kind, Effect] | None:
    """How the types differ and what follows; None where nothing that is carried does."""
    if theirs.type is None or ours.family != theirs.family:
        return "re-typed", "stops"
    judge = _JUDGES.get(ours.family.split(" ")[0])
    return judge(ours, theirs) if judge else None


def _integers(ours: Field, theirs: Field) -> tuple[Kind, Effect] | None:
    mine, other = ours.bounds, theirs.bounds
    if mine is None or other is None or mine == other:
        return None
    if mine[0] <= other[0] and other[1] <= mine[1]:
        return "narrowed", "noted"
    kind: Kind = "widened" if other[0] <= mine[0] and mine[1] <= other[1] else "re-typed"
    bits = _STORED_BITS.get(ours.type.kind if ours.type else "")
    held = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if bits else mine
    return kind, "told" if held[0] <= other[0] and other[1] <= held[1] else "stops"


def _decimals(ours: Field, theirs: Field) -> tuple[Kind, Effect] | None:
    mine, other = ours.digits, theirs.digits
    if mine is None or other is None or mine == other:
        return None
    if other[1] <= mine[1] and other[0] - other[1] <= mine[0] - mine[1]:
        # Beyond 38 digits the values are looked at one by one, by the contract's own scale.
        beyond = max(mine[0], other[0]) > DECIMAL_DIGITS and mine[1] != other[1]
        return ("re-typed", "stops") if beyond else ("narrowed", "noted")
    wider = other[1] >= mine[1] and other[0] - other[1] >= mine[0] - mine[1]
    return ("widened" if wider else "re-typed"), "stops"


def _lengths(ours: Field, theirs: Field) -> tuple[Kind, Effect] | None:
    if theirs.length > ours.length:
        return "widened", "stops"
    if theirs.length < ours.length:
        return "narrowed", "noted"
    same = _plain(ours.shown) == _plain(theirs.shown) or ours.type == theirs.type
    # Equal lengths at Redshift's longest: which values are too long is seen one by one.
    return None if same or _bases_equal(ours, theirs) else ("re-typed", "noted")


def _members(ours: Field, theirs: Field) -> tuple[Kind, Effect] | None:
    longer = theirs.length > ours.length
    return ("widened", "stops") if longer else None


def _sets(ours: Field, theirs: Field) -> tuple[Kind, Effect] | None:
    if set(theirs.members) <= set(ours.members):
        return None if set(theirs.members) == set(ours.members) else ("narrowed", "noted")
    return "widened", "stops" if theirs.length > ours.length else "told"


def _moments(ours: Field, theirs: Field) -> tuple[Kind, Effect] | None:
    mine, other = (one.type.fraction if one.type else 0 for one in (ours, theirs))
    if mine == other:
        return None
    return ("widened" if other > mine else "narrowed"), "stops"


def _bits(ours: Field, theirs: Field) -> tuple[Kind, Effect] | None:
    if ours.bounds == theirs.bounds:
        return None
    return ("re-typed", "stops")


_JUDGES = {
    "integer": _integers,
    "decimal": _decimals,
    "text": _lengths,
    "bytes": _lengths,
    "enum": _members,
    "set": _sets,
    "datetime": _moments,
    "timestamp": _moments,
    "bit": _bits,
}


def _bases_equal(ours: Field, theirs: Field) -> bool:
    return bool(ours.type and theirs.type and base_of(ours.type) == base_of(theirs.type))


def _plain(shown: str) -> str:
    return re.sub(r"\s+", "", shown.lower())


def _of_keys(ours: Keys, theirs: Keys) -> Iterator[Change]:
    if set(ours.primary) != set(theirs.primary) and ours.primary:
        yield Change("primary key", "", _listed(ours.primary), _listed(theirs.primary), "told")
    kinds: list[tuple[Kind, Mapping[str, object], Mapping[str, object]]] = [
        ("unique key", _unique(ours), _unique(theirs)),
        ("foreign key", _foreign(ours), _foreign(theirs)),
    ]
    for kind, mine, other in kinds:
        for text in sorted(mine.keys() - other.keys()):
            yield Change(kind, "", text, "", "noted")
        for text in sorted(other.keys() - mine.keys()):
            yield Change(kind, "", "", text, "noted")


def _listed(names: Sequence[str]) -> str:
    return f"({', '.join(names)})" if names else ""


def _unique(keys: Keys) -> dict[str, object]:
    wanted = {tuple(sorted(key)) for key in keys.unique} - {tuple(sorted(keys.primary))}
    return {_listed(key): key for key in wanted}


def _foreign(keys: Keys) -> dict[str, object]:
    return {
        f"{_listed(columns)} to {parent} {_listed(parents)}".rstrip(): columns
        for columns, parent, parents in keys.foreign
    }


def mysql_field(
    name: str,
    declared: str,
    *,
    nullable: bool,
    charset: str = "",
    collation: str = "",
) -> Field:
    """A column of a MySQL by the type that the server prints, or that the contract declares."""
    from orderhe_dagster.catalog.contract import read_type

    try:
        kind, arguments = read_type(declared)
    except (Problem, TypeRefused):
        return Field(name, declared, "", nullable=nullable)
    base = base_of(kind)
    family = _family(base, kind)
    return Field(
        name,
        declared,
        family,
        kind,
        bounds=integer_range(kind) if family in ("integer", "bit") else None,
        digits=_digits(arguments) if family == "decimal" else None,
        length=kind.length,
        members=arguments if base in ("enum", "set") else (),
        nullable=nullable,
        charset=charset,
        collation=collation,
    )


def _family(base: str, kind: ColumnType) -> str:
    if base == "longtext":
        return "text"
    if base in ("enum", *_PRINTED_APART):
        return base
    if integer_range(kind) is not None:
        return "integer"
    if kind.kind == "timestamp":
        return "timestamp" if kind.instant else "datetime"
    return {"varchar": "text", "varbyte": "bytes"}.get(kind.kind, kind.kind)


def _digits(arguments: Sequence[str]) -> tuple[int, int]:
    precision = int(arguments[0]) if arguments else 10
    return precision or 10, int(arguments[1]) if len(arguments) > 1 else 0


def contract_fields(table: Table) -> list[Field]:
    """The columns of a contract, as its MySQL text declares them."""
    sets = charsets(table.sql)
    return [
        mysql_field(
            column.source_name,
            column.type.declared,
            nullable=not column.required,
            charset=sets.get(column.source_name.lower(), ("", ""))[0],
            collation=sets.get(column.source_name.lower(), ("", ""))[1],
        )
        for column in table.in_source.columns
    ]


def as_json(promised: Sequence[Field], live: Sequence[Field]) -> list[Field]:
    """The live columns, a `longtext` being JSON where the contract says so: MariaDB has no other JSON."""
    wanted = {one.name.lower() for one in promised if one.family == "json"}
    return [
        replace(one, family="json")
        if one.name.lower() in wanted and one.type and base_of(one.type) == "longtext"
        else one
        for one in live
    ]


def contract_keys(table: Table) -> Keys:
    """The keys that the contract's own text names: @grain is a claim, no key of the shop's."""
    return keys_of(table.path, table.name, table.sql)


@lru_cache(maxsize=1024)
def keys_of(path: str, name: str, text: str) -> Keys:
    """The keys of a `create table`; columns that cannot be read are passed over."""
    from orderhe_dagster.catalog.contract import read_contract
    from orderhe_dagster.catalog.header import Header

    made = read_contract(path, name, text, Header("", {}), Problems())
    return Keys(
        _lower(made.grain),
        frozenset(map(_lower, made.unique)),
        frozenset(map(_foreign_key, made.foreign_keys)),
    )


def _lower(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(name.lower() for name in names)


def _foreign_key(key: ForeignKey) -> tuple[tuple[str, ...], str, tuple[str, ...]]:
    return _lower(key.columns), key.parent.lower(), _lower(key.parent_columns)


@lru_cache(maxsize=1024)
def charsets(sql: str) -> dict[str, tuple[str, str]]:
    """Character set and collation of each column of a `create table`, as far as its text says."""
    from orderhe_dagster.catalog.contract import items_of
    from orderhe_dagster.catalog.tokens import Cursor, Word, tokenize

    if not re.search(r"\b(charset|character\s+set|collate)\b", sql, re.I):
        return {}

    def said(words: Sequence[Word]) -> tuple[str, str]:
        words = [word for word in words if word.text != "="]
        keys = [word.upper for word in words]
        charset = collation = ""
        for at, key in enumerate(keys[:-1]):
            if key == "CHARSET" or (key == "SET" and keys[max(at - 1, 0)] == "CHARACTER"):
                charset = words[at + 1].text.lower()
            elif key == "COLLATE":
                collation = words[at + 1].text.lower()
        return charset or collation.partition("_")[0], collation

    cursor = Cursor("", sql, tokenize("", sql, "mysql"))
    while cursor.here.sort != "end" and not cursor.sees("("):
        cursor.next()
    inside = cursor.block()
    whole = said(cursor.words[cursor.at :])
    result = {}
    for words in filter(None, items_of(inside)):
        charset, collation = said(words)
        result[words[0].text.lower()] = (charset, collation) if charset else (whole[0], whole[1])
    return result
