"""The words in the names of tables and columns, and which tables tell of events by them. No values here."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\d_A-Z]+|\d+")
_EVENTS = frozenset(
    (
        *("order", "sale", "purchase", "invoice", "payment", "refund", "transaction", "receipt"),
        *("shipment", "return", "creditmemo", "booking", "reservation", "rental", "ticket"),
        *("cart", "basket", "quote", "checkout", "visit", "visitor", "session", "event", "click"),
        *("log", "history", "review", "rating", "comment", "message", "search", "post", "entry"),
        *("movement", "scan", "call", "delivery", "subscription", "login"),
        *(
            "주문",
            "주문내역",
            "결제",
            "결제내역",
            "매출",
            "판매",
            "환불",
            "방문",
            "장바구니",
            "로그",
        ),
    )
)
"""What happens once, on a day."""
_PARTS = frozenset(
    (
        *("item", "line", "detail", "product", "position", "row", "lookup", "total", "tax"),
        *("option", "itemmeta", "meta", "voucher", "discount", "fee", "note", "record", "data"),
        *("grid", "stat", "상품", "상세", "항목", "내역"),
    )
)
"""What something that happened is made of, or told by."""
_KINDS = frozenset(
    ("status", "state", "type", "reason", "method", "template", "setting", "config", "상태")
)

_EMPTY_ENDS = ("table", "tbl", "entity", "header", "head", "dataset")
"""Last words of a table's name that say nothing of what it holds."""


@lru_cache(maxsize=8192)
def words_of(name: str) -> tuple[str, ...]:
    """The words of a name in small letters: `dateAdded`, `date_added` and `DATE-ADDED` have two."""
    return tuple(word.lower() for word in _WORD.findall(name))


def singular(word: str) -> str:
    """An English noun without its plural; what is none stays as it is."""
    if word.endswith("ies") and len(word) > 4:
        return f"{word[:-3]}y"
    if word.endswith(("sses", "shes", "ches", "xes")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


def nouns_of(name: str) -> tuple[str, ...]:
    """The words of a table's name, each without its plural; endings that mean nothing are left out."""
    words = tuple(
        singular(part) for word in words_of(name) if not word.isdigit() for part in _parts_of(word)
    )
    while len(words) > 1 and words[-1] in _EMPTY_ENDS:
        words = words[:-1]
    return words


def _parts_of(word: str) -> tuple[str, ...]:
    """The nouns of a Korean compound that begins with an event: 주문상품 has two."""
    if word.isascii() or word in _EVENTS:
        return (word,)
    event = max((one for one in _EVENTS if word.startswith(one)), key=len, default="")
    return (event, word.removeprefix(event)) if event else (word,)


def is_event(name: str) -> bool:
    """Whether a table's name says that each of its rows happened once: orders, their lines, logs."""
    nouns = nouns_of(name)
    if not nouns or nouns[-1] in _KINDS:
        return False
    return nouns[-1] in _EVENTS or (nouns[-1] in _PARTS and _any_event(nouns[:-1]))


def _any_event(nouns: Sequence[str]) -> bool:
    return any(noun in _EVENTS for noun in nouns)


def event_of(name: str) -> tuple[str, ...]:
    """The words of a table's name from the first that is an event on: `order`, `order item`; else all."""
    nouns = nouns_of(name)
    at = next((place for place, noun in enumerate(nouns) if noun in _EVENTS), 0)
    return nouns[at:]


def is_part_of(child: str, parent: str) -> bool:
    """Whether one table's name says that its rows are of the other's: `shop_order_items` of `orders`."""
    ours, event = nouns_of(child), event_of(parent)
    if not event or ours == nouns_of(parent):
        return False
    starts = range(len(ours) - len(event) + 1)
    return any(ours[at : at + len(event)] == event for at in starts)
