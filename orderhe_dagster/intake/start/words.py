"""The words that names of tables, columns and statuses are made of. No table is known here."""

from __future__ import annotations

import re
from functools import lru_cache

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\d_A-Z]+")


_SHORT_AND_FOREIGN = {
    **{"ord": "order", "odr": "order", "dtl": "detail", "cust": "customer", "mem": "member"},
    **{
        "prod": "product",
        "prd": "product",
        "goods": "product",
        "article": "product",
        "amt": "amount",
    },
    **{
        "tot": "total",
        "stat": "status",
        "sts": "status",
        "dt": "date",
        "ymd": "date",
        "dttm": "date",
    },
    **{
        "cd": "code",
        "num": "no",
        "nr": "no",
        "usr": "user",
        "cnt": "count",
        "cat": "category",
        "nm": "name",
    },
    **{"bestellung": "order", "bestellungen": "order", "auftrag": "order", "position": "line"},
    **{"positionen": "line", "kunde": "customer", "kunden": "customer", "menge": "quantity"},
    **{
        "betrag": "amount",
        "gesamt": "total",
        "summe": "total",
        "datum": "date",
        "artikel": "product",
    },
    **{"preis": "price", "waehrung": "currency", "kategorie": "category", "bezeichnung": "name"},
    **{"commande": "order", "ligne": "line", "client": "customer", "quantite": "quantity"},
    **{
        "montant": "amount",
        "prix": "price",
        "produit": "product",
        "statut": "status",
        "etat": "status",
    },
    **{"pedido": "order", "cliente": "customer", "cantidad": "quantity", "importe": "amount"},
    **{
        "fecha": "date",
        "producto": "product",
        "precio": "price",
        "estado": "status",
        "linea": "line",
    },
    **{
        "ordine": "order",
        "ordini": "order",
        "riga": "line",
        "quantita": "quantity",
        "prezzo": "price",
    },
    **{
        "importo": "amount",
        "prodotto": "product",
        "stato": "status",
        "nombre": "name",
        "nom": "name",
    },
    **{"주문": "order", "주문일": "order date", "주문일자": "order date", "주문일시": "order date"},
    **{
        "주문번호": "order no",
        "주문금액": "order amount",
        "총금액": "total amount",
        "금액": "amount",
    },
    **{
        "결제금액": "total paid",
        "고객": "customer",
        "고객번호": "customer no",
        "회원번호": "member no",
    },
    **{"회원": "member", "상태": "status", "주문상태": "order status", "수량": "quantity"},
    **{
        "주문수량": "quantity",
        "상품": "product",
        "상품번호": "product no",
        "상품코드": "product code",
    },
    **{"상품명": "product name", "주문상세": "order detail", "주문상품": "order product"},
    **{"단가": "unit price", "가격": "price", "통화": "currency", "분류": "category"},
}
"""What short and foreign words mean."""


@lru_cache(maxsize=8192)
def words_of(name: str) -> tuple[str, ...]:
    """The words of a name in small letters, in English, without plurals: `ps_ordDtl` is ps, order, detail."""
    words = []
    for word in (found.lower() for found in _WORD.findall(name)):
        meant = _SHORT_AND_FOREIGN.get(word) or _SHORT_AND_FOREIGN.get(_singular(word))
        words += meant.split() if meant else [_singular(word)]
    return tuple(words)


@lru_cache(maxsize=8192)
def plain(name: str) -> str:
    """A name as its words with lines between: `ordDt` is `order_date`."""
    return "_".join(words_of(name))


def _singular(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return f"{word[:-3]}y"
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


_STAGES: dict[str, tuple[str, ...]] = {
    # The first that fits: "awaiting refund" is none of these, "payment error" is as good as cancelled.
    "gone": (
        r"^(order[ _-]?)?cancell?ed(?![a-z])(?!.*(revers|partial|request))",
        "^주문.?취소.?완료",
    ),
    "kept": (
        "cancel.*reversal",
        "partial",
        # What is still to be sent, and what came in is the money or the order.
        "prepar",
        "ready",
        r"(?<![a-z])to[ _.-]?(be[ _.-])?ship",
        "(pay|order|money|fund|deposit).*received|received.*(pay|order)",
        "(pay(ment|ing)?|결제|입금|支払い?|付款|支付).*(complete|done|finish|完|완료)",
        "준비",
        "보류",
        "배송.?전",
        "신청",
        "접수",
        "await",
        "request",
        "pending",
        "\\bun",
        "\\bnot\\b",
        "요청",
        "대기",
    ),
    "drafts": (
        "draft",
        "trash",
        "^(shopping.?)?(cart|basket)$",
        "incomplete",
        "abandon",
        "^new-cart",
        "^missing([ _-]?orders?)?$",
        "임시",
    ),
    "returned": (
        *("refund", "return", "chargeback", "charged.?back", "revers", "credit.?note"),
        *(
            "환불",
            "반품",
            "erstattet",
            "gutgeschrieben",
            "gutschrift",
            "retour",
            "rembours",
            "reembols",
            "devuel",
            "devolvid",
            "rimbors",
            r"\breso\b",
        ),
        *("返品", "返金", "退"),
    ),
    "cancelled": (
        *(
            "cancel",
            r"(?<![a-z])void",
            "fail",
            "error",
            "den(y|ied)",
            "declin",
            "reject",
            "expir",
            "fraud",
        ),
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
        *("ship", r"(?<![a-z])sent(?![a-z])", "dispatch", "transit", "on.?the.?way"),
        *("배송", "출고", "versand", "versendet", "expédi", "enviad", "spedit", "発送", "发货"),
    ),
}


def stage_of(status: str) -> str | None:
    """Which stage a status tells by its words: `cancelled`, `returned`, …; None where it tells none."""
    for stage, patterns in _STAGES.items():
        if any(re.search(pattern, status, re.IGNORECASE) for pattern in patterns):
            return {"kept": None, "gone": "cancelled"}.get(stage, stage)
    return None
