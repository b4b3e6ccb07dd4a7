"""The words that names of tables, columns and statuses are made of. No table is known here."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\d_A-Z]+")


@lru_cache(maxsize=8192)
def words_of(name: str) -> tuple[str, ...]:
    """The words of a name in small letters, without their plurals: `ps_orderDetails` has three."""
    return tuple(_singular(word.lower()) for word in _WORD.findall(name))


def _singular(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return f"{word[:-3]}y"
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


_STAGES: dict[str, tuple[str, ...]] = {
    # The first that fits: "awaiting refund" is none of these, "payment error" is as good as cancelled.
    "kept": (
        "cancel.*reversal",
        "partial",
        "await",
        "request",
        "pending",
        "\\bun",
        "\\bnot\\b",
        "요청",
        "대기",
    ),
    "drafts": ("draft", "trash", "incomplete", "abandon", "^new-cart", "missing", "임시"),
    "returned": (
        *("refund", "return", "chargeback", "charged.?back", "revers", "credit.?note"),
        *(
            "환불",
            "반품",
            "erstattet",
            "retour",
            "rembours",
            "reembols",
            "devuel",
            "rimbors",
            "reso",
        ),
        *("返品", "返金", "退"),
    ),
    "cancelled": (
        *("cancel", "void", "fail", "error", "den(y|ied)", "declin", "reject", "expir", "fraud"),
        *("취소", "실패", "storn", "abgebrochen", "annul", "fehl", "échou", "キャンセル", "取消"),
    ),
    "delivered": (
        *("deliver", "complete", "finish", "fulfilled", "received", "done"),
        *(
            "배송.?완료",
            "구매.?확정",
            "geliefert",
            "zugestellt",
            "livré",
            "entregad",
            "consegn",
            "完了",
            "完成",
        ),
    ),
    "shipped": (
        *("ship", "sent", "dispatch", "transit", "on.?the.?way"),
        *("배송", "출고", "versand", "versendet", "expédi", "enviad", "spedit", "発送", "发货"),
    ),
}


def stage_of(status: str) -> str | None:
    """Which stage a status tells by its words: `cancelled`, `returned`, …; None where it tells none."""
    for stage, patterns in _STAGES.items():
        if any(re.search(pattern, status, re.IGNORECASE) for pattern in patterns):
            return None if stage == "kept" else stage
    return None


def first_match(names: Sequence[str], patterns: Sequence[str]) -> str | None:
    """The name that fits the earliest of the patterns as a whole; None: none fits."""
    for pattern in patterns:
        for name in names:
            if re.fullmatch(pattern, name, re.IGNORECASE):
                return name
    return None
