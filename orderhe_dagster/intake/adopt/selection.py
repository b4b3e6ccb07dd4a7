"""Which tables are adopted and what they are called: `--only` and `--map`. No database is asked here."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path

from orderhe_dagster.catalog.reader import NAME
from orderhe_dagster.errors import OrderheError
from orderhe_dagster.intake.adopt.words import words_of

NAMED = 10  # tables that an error names, at most


class AdoptError(OrderheError):
    """What was asked for cannot be done; the text names the table and what to write instead."""


def patterns_of(words: Iterable[str]) -> tuple[str, ...]:
    """The patterns of options such as `orders,*product*`, in order."""
    return tuple(one for word in words for one in map(str.strip, word.split(",")) if one)


def chosen(names: Mapping[str, str], patterns: Sequence[str]) -> list[str]:
    """The source's names of the tables that the patterns choose; all of them where there are none.

    `names`: source's -> ours; a pattern may mean either, in capitals or not. One with `!` in front takes
    tables out. AdoptError where one means no table.
    """
    taken = {name for name in names if all(one.startswith("!") for one in patterns)}
    for pattern in patterns:
        plain = pattern.removeprefix("!").lower()
        meant = {
            name
            for name, ours in names.items()
            if fnmatchcase(name.lower(), plain) or fnmatchcase(ours, plain)
        }
        if not meant:
            raise AdoptError(f"--only {pattern}: no table is called so{near(plain, names)}")
        taken = taken - meant if pattern.startswith("!") else taken | meant
    if not taken:
        raise AdoptError(f"--only {','.join(patterns)} leaves no table: there are {_some(names)}")
    return [name for name in names if name in taken]


def the_table(word: str, names: Mapping[str, str], option: str) -> str:
    """The source's name of the one table that a word means, by either name. AdoptError."""
    for found in (
        [name for name in names if name == word],
        [name for name, ours in names.items() if word.lower() in (name.lower(), ours)],
    ):
        if len(found) == 1:
            return found[0]
    raise AdoptError(f"{option}: no table is called {word!r}{near(word.lower(), names)}")


def near(word: str, names: Mapping[str, str]) -> str:
    """What is said of tables whose name is like `word`, or of all where none is."""
    spelt: dict[str, str] = {}
    for name, ours in names.items():
        for part in (name.lower(), ours, *words_of(name)):
            spelt.setdefault(part, name)
    plain = word.strip("*?!")
    close = [spelt[one] for one in get_close_matches(plain, spelt, n=3, cutoff=0.6)]
    close = [*dict.fromkeys(close)] or [
        name for name in names if plain and plain[:4] in name.lower()
    ][:3]
    return f"; did you mean {' or '.join(close)}?" if close else f"; there are {_some(names)}"


def _some(names: Iterable[str]) -> str:
    listed = sorted(names)
    more = f" and {len(listed) - NAMED:,} more" if len(listed) > NAMED else ""
    return f"{', '.join(listed[:NAMED])}{more}"


def read_map(path: Path) -> dict[str, str]:
    """The names of `--map FILE`: `source name = our name` a line, or CSV with a comma. AdoptError.

    Blank lines and those that begin with `#` say nothing, nor does a head `source,name`.
    """
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise AdoptError(f"--map {path}: the file cannot be read as UTF-8: {error}") from None
    names: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        source, sign, ours = line.rpartition("=")
        parts = [source, ours] if sign else next(csv.reader([line]))
        if len(parts) != 2 or not all(map(str.strip, parts)):
            raise AdoptError(f"--map {path}:{number}: write `source name = our name`, not {line!r}")
        source, ours = (part.strip() for part in parts)
        if number == 1 and source.lower() in ("source", "table"):
            continue
        if not NAME.fullmatch(ours):
            raise AdoptError(
                f"--map {path}:{number}: {ours!r} is no name for a file of sql/raw: small letters, "
                "digits and _, a letter first, at most 64"
            )
        if source in names or ours in names.values():
            raise AdoptError(f"--map {path}:{number}: {source} or {ours} stands twice")
        names[source] = ours
    return names


def check_map(names: Mapping[str, str], there: Mapping[str, str]) -> None:
    """See that every table of a map is there; `there`: all tables, with our names. AdoptError."""
    for source, ours in names.items():
        if source not in there:
            raise AdoptError(f"--map: no table is called {source!r}{near(source.lower(), there)}")
        others = [name for name, our in there.items() if our == ours and name != source]
        if others:
            raise AdoptError(
                f"--map: {ours} is the name of {others[0]} too: give one of the two another"
            )
