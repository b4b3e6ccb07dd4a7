"""Numbers as people write them: thousands, decimal commas, currency signs. One text at a time."""

from __future__ import annotations

import re
from dataclasses import dataclass

_CODES = (
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF "
    "CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD "
    "HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD "
    "LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK "
    "PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS "
    "TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW "
    "CNH HRK NTD RMB"
)
"""ISO 4217, and what people write beside it. Other letters before a number are of a name, as in SKU-1."""
_SIGNS = rf"US\$|R\$|(?:{_CODES.replace(' ', '|')})(?![A-Za-z])|[$€£¥₩￦￥₹₽₺₫฿₪]|원|円|元"
_CURRENCY = rf"(?:{_SIGNS}|zł|kr\.?|Kč|Ft|lei|лв\.?|руб\.?|р\.)"
_WRITTEN = re.compile(
    rf"(?P<open>\()?\s*(?P<before>[+\-−]?)\s*(?P<left>{_CURRENCY})?\s*(?P<middle>[+\-−]?)\s*"
    rf"(?P<body>[0-9](?:[0-9.,'’ \u00a0\u202f\u2009]*[0-9])?|[.,][0-9]+)\s*"
    rf"(?P<right>{_CURRENCY})?\s*(?P<behind>-?)\s*(?P<close>\))?"
)
_BLANKS = re.compile(r"[ \u00a0\u202f\u2009'’]")
_GROUPS = re.compile(r"[0-9]{1,3}(?:[ \u00a0\u202f\u2009'’][0-9]{3})+(?:[.,][0-9]+)?")


@dataclass(frozen=True)
class Written:
    """A number in its parts. `body` has digits and signs of thousands and decimals only."""

    is_negative: bool
    body: str
    currency: str


def written(text: str) -> Written | None:
    """The parts of a text that is a number in any of the ways; None: it is none."""
    match = _WRITTEN.fullmatch(text.strip())
    if match is None or bool(match["open"]) != bool(match["close"]):
        return None
    if re.match(r"[A-Z]{3}-\d+$", text.strip()):
        return None  # TOP-1 is a name, though TOP is a currency
    signs = match["before"] + match["middle"] + match["behind"]
    if len(signs) > 1 or (match["open"] and signs) or (match["left"] and match["right"]):
        return None
    body = match["body"]
    if _BLANKS.search(body):
        if not _GROUPS.fullmatch(body):
            return None
        sign = "".join(char for char in body if char in ".,")
        whole, _, fraction = body.partition(sign) if sign else (body, "", "")
        # Blanks part thousands, so that a sign beside them is that of the decimals.
        body = _BLANKS.sub("", whole) + (f"{sign}{fraction}" if sign else "")
        if len(body.partition(sign)[0] if sign else body) < 4:
            return None
    return Written(
        bool(match["open"]) or signs in {"-", "−"}, body, match["left"] or match["right"] or ""
    )


def decimal_sign_of(body: str) -> str:
    """The decimal sign that a number shows: `.`, `,`, nothing (it has none), or `?` and its one sign."""
    signs = [char for char in body if char in ".,"]
    if not signs:
        return ""
    if len(set(signs)) == 2:
        return signs[-1] if signs.count(signs[-1]) == 1 else "!"
    if len(signs) > 1:
        return "," if signs[0] == "." else "."
    whole, _, fraction = body.partition(signs[0])
    if len(fraction) == 3 and 0 < len(whole) <= 3 and not whole.startswith("0"):
        return f"?{signs[0]}"
    return signs[0]


def plain_number(number: Written, decimal: str) -> str | None:
    """The number in plain digits with a point; None where it is not written with this decimal sign."""
    other = re.escape("," if decimal == "." else ".")
    sign = re.escape(decimal)
    groups = rf"[0-9]{{1,3}}(?:{other}[0-9]{{3}})+"
    lakhs = rf"[0-9]{{1,2}}(?:{other}[0-9]{{2}})*{other}[0-9]{{3}}"
    pattern = rf"(?:[0-9]+|{groups}|{lakhs})?"
    if not re.fullmatch(rf"{pattern}(?:{sign}[0-9]+)?", number.body):
        return None
    whole, _, fraction = number.body.partition(decimal)
    whole = whole.replace("," if decimal == "." else ".", "") or "0"
    return f"{'-' if number.is_negative else ''}{whole}" + (f".{fraction}" if fraction else "")
