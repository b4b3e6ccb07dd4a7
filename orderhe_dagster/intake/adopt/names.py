"""What we call a table whose name in the source no file of ours may have: pure, and the same every time.

A name that a file may have stays. Any other is spelt with `a` to `z`, digits and `_`::

    Customer -> customer    SalesOrderDetail -> sales_order_detail    customer-items -> customer_items
    Straße -> strasse       주문 -> jumun                              заказ -> zakaz
    2026 -> t_2026          訂單 -> table_600eee                       訂單items -> items_f2e934

Six hexadecimal digits of the name's own hash follow where letters were lost, where the name is cut to 64
characters, and where it would be the name of another table too: so it depends on no order, and on no
other table but those that it falls together with. Nothing is read or written here.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Mapping

from orderhe_dagster.catalog.column_names import MARK_DIGITS, name_mark
from orderhe_dagster.catalog.reader import NAME

LONGEST = 64
_WRITTEN = """
    аa бb вv гg дd еe ёyo жzh зz иi йy кk лl мm нn оo пp рr сs тt уu фf хkh цts чch шsh щshch ъ ыy ь эe
    юyu яya іi їyi єye ґg ўu
    αa βv γg δd εe ζz ηi θth ιi κk λl μm νn ξx οo πp ρr σs ςs τt υy φf χch ψps ωo
    ßss æae œoe øo łl đd ðd þth ıi əa
"""
_LETTERS = {word[0]: word[1:] for word in _WRITTEN.split()}
"""How letters that are no Latin one with an accent are written in Latin; '': not at all."""
_SYLLABLE = re.compile(r"HANGUL SYLLABLE ([A-Z]+)|(?:HIRAGANA|KATAKANA) LETTER (?:SMALL )?([A-Z]+)")
"""The names that Unicode gives to signs which stand for a syllable; it never changes a name."""


def derived(source_name: str) -> str:
    """Our name of a table that stands alone; see the module."""
    if NAME.fullmatch(source_name):
        return source_name
    pieces = [_piece(sign) for sign in _words_apart(unicodedata.normalize("NFC", source_name))]
    text = re.sub(r"_+", "_", "".join(piece or "" for piece in pieces)).strip("_")
    if not text:
        return _marked("table", source_name)
    if text[0].isdigit():
        text = f"t_{text}"
    return text if None not in pieces and len(text) <= LONGEST else _marked(text, source_name)


def names_of(
    source_names: Collection[str], taken: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Our name of every table of a source, no two alike. `taken`: those that have one already.

    Of tables whose names fall together, one that a file may be called like keeps it; all others are
    marked with their hash.
    """
    kept = dict(taken or {})
    used = set(kept.values())
    wanted = {name: derived(name) for name in source_names if name not in kept}
    many = Counter(map(derived, source_names))
    alone = {
        name
        for name, ours in wanted.items()
        if ours not in used and (name == ours or many[ours] == 1)
    }
    kept |= {name: wanted[name] for name in alone}
    used |= {*kept.values()}
    for name in sorted(wanted.keys() - alone):
        kept[name] = next(
            marked
            for digits in range(MARK_DIGITS, LONGEST - 1)
            if (marked := _marked(wanted[name], name, digits)) not in used
        )
        used.add(kept[name])
    return {name: kept[name] for name in source_names}


def fallen_together(names: Mapping[str, str]) -> list[str]:
    """A sentence on each of the tables whose name another has or would have; by `names_of`."""
    by_own: dict[str, list[str]] = {}
    for name in sorted(names):
        by_own.setdefault(derived(name), []).append(name)
    return [
        f"{', '.join(map(repr, alike))} would all be {own}: "
        f"{', '.join(f'{name!r} is {names[name]}' for name in alike)}"
        for own, alike in sorted(by_own.items())
        if len(alike) > 1
    ]


def _marked(text: str, source_name: str, digits: int = MARK_DIGITS) -> str:
    """The text, cut to have room for it, and the hash of the source's name."""
    return f"{text[: LONGEST - digits - 1].rstrip('_')}_{name_mark(source_name, digits)}"


def _words_apart(name: str) -> str:
    """The name in small letters, with `_` where a capital begins a word: `HTTPLog` has two."""
    text = ""
    for before, sign, after in zip(f"_{name}", name, f"{name[1:]}_", strict=False):
        begins = before.islower() or before.isdigit() or (before.isupper() and after.islower())
        text += f"_{sign}" if sign.isupper() and begins else sign
    return text.lower()


def _piece(sign: str) -> str | None:
    """A small character in ASCII: `_` for no letter or digit, None for one that cannot be told."""
    if sign.isascii():
        return sign if sign.isalnum() else "_"
    if (letters := _LETTERS.get(sign)) is not None:
        return letters
    if match := _SYLLABLE.match(unicodedata.name(sign, "")):
        return (match[1] or match[2]).lower()
    if plain := _ascii(unicodedata.normalize("NFKD", sign)):
        return plain
    sort = unicodedata.category(sign)[0]
    return None if sort in "LN" else "" if sort == "M" else "_"


def _ascii(signs: Iterable[str]) -> str:
    """The ASCII letters and digits among them, and other scripts' digits as ASCII's."""
    return "".join(
        str(unicodedata.digit(sign)) if sign.isdigit() else sign if sign.isascii() else ""
        for sign in signs
        if sign.isalnum()
    )
