"""Which encoding a file is in, by evidence over the whole of it. Separators and cells are not known here.

Bytes say nothing of their encoding, and most encodings read most bytes as something. Each candidate's
reading of the file's words is therefore weighed as text of the languages that are written in it; one that
is a thousand times as probable as every other is taken, anything less is asked.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from math import log
from pathlib import Path

from orderhe_dagster.intake.files.alphabets import (
    ALPHABETS,
    EASTERN,
    LATIN,
    eastern_word,
    lettered_word,
    weights_of,
)
from orderhe_dagster.intake.files.refusals import Unreadable

BLOCK_BYTES = 1 << 20
UTF_8 = "utf-8"

NAMES = {
    "utf-8": "UTF-8",
    "utf-8-sig": "UTF-8 with a byte order mark",
    "utf-16-le": "UTF-16 (little endian)",
    "utf-16-be": "UTF-16 (big endian)",
    "utf-16": "UTF-16",
    "utf-32": "UTF-32",
    "cp949": "cp949 (EUC-KR)",
    "cp932": "cp932 (Shift-JIS)",
    "gb18030": "gb18030 (GBK)",
}
"""How an encoding is called in messages; any other by its own name."""

_CANDIDATES: dict[str, tuple[str, float]] = {
    "utf-8": ("", 6.5),
    "cp949": ("korean", -1.0),
    "cp932": ("japanese", -1.0),
    "gb18030": ("chinese", -1.0),
    "cp1252": ("western", 0.0),
    "big5": ("traditional", -2.0),
    "euc_jp": ("japanese", -3.0),
    "cp1250": ("central", -4.0),
    "cp1251": ("cyrillic", -3.0),
    "cp1254": ("turkish", -4.0),
    "cp1257": ("baltic", -5.0),
    "cp1253": ("greek", -4.0),
    "koi8-r": ("cyrillic", -7.0),
    "cp1255": ("hebrew", -7.0),
    "cp1256": ("arabic", -7.0),
    "cp874": ("thai", -7.0),
    "mac_roman": ("western", -7.0),
    "cp850": ("western", -7.0),
}
"""The encodings that are tried: what is written in each, and how usual it is (logarithm)."""
_SURE = log(1000)
_BROKEN, _BROKEN_BYTE = log(1e-3), -8.0  # a word that an encoding cannot read, and each byte of it
_OTHER_LANGUAGE = log(0.05)
_WORDS = 400
_LONGEST_WORD = 2000
# Letters around bytes beyond ASCII; a byte of ASCII behind one of those may be its second half.
_WORD = re.compile(rb"[A-Za-z]{0,20}(?:(?:[\x80-\xff][0-9@-~]?)+[A-Za-z]{0,20})+")
_BETWEEN = (b"\n", b"\r", b",", b";", b"\t", b"|", b" ", b'"')
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True)
class Encoding:
    """The encoding of a file, and what else its bytes show."""

    name: str
    is_plain: bool  # UTF-8 without a lone CR: lines can be cut as bytes

    @property
    def label(self) -> str:
        """As a message calls it."""
        return label_of(self.name)


def label_of(name: str) -> str:
    """How messages call an encoding."""
    return NAMES.get(name, name)


@dataclass
class _Seen:
    """What one pass over the file saw."""

    words: dict[bytes, int]  # distinct words beyond ASCII, and the line of each
    is_ascii: bool = True
    is_utf_8: bool = True
    nulls: int = 0
    lone_returns: bool = False
    head: bytes = b""


def encoding_of(path: Path, wanted: str | None = None, *, is_unicode: bool = False) -> Encoding:
    """The encoding of a text file. Unreadable where it is asked for, or does not fit as `wanted`.

    `is_unicode`: the format admits nothing else, so that no other encoding is looked for.
    """
    seen = _look(path)
    if wanted:
        return _as_wanted(path, wanted, seen)
    cut = not seen.lone_returns
    for mark, name in _MARKS:
        if seen.head.startswith(mark):
            if name == "utf-8-sig":  # a cell that is none is named by the reader
                return Encoding(name if seen.is_utf_8 else UTF_8, cut)
            _check(path, name, "its byte order mark says so")
            return Encoding(name, False)
    if seen.nulls and (wide := _wide(path, seen)):
        return Encoding(wide, False)
    if seen.is_ascii or seen.nulls or is_unicode or not seen.words:
        return Encoding(UTF_8, cut)
    name = _most_probable(seen)
    if name != UTF_8:
        _check(path, name, "most of its words are")
    return Encoding(name, name == UTF_8 and cut)


def _as_wanted(path: Path, wanted: str, seen: _Seen) -> Encoding:
    try:
        name = codecs.lookup(wanted).name
        b"".decode(name)
    except (LookupError, AssertionError):
        raise Unreadable(
            f"--encoding {wanted} is no encoding that is known; use one such as utf-8, cp949, cp932, "
            "gb18030 or cp1252"
        ) from None
    name = {"euc_kr": "cp949", "shift_jis": "cp932", "gbk": "gb18030", "gb2312": "gb18030"}.get(
        name, name
    )
    if name == UTF_8 and seen.head.startswith(codecs.BOM_UTF8):
        name = "utf-8-sig"
    if name in {"utf-8", "utf-8-sig"}:
        broken = [
            word
            for word, text in zip(seen.words, _read(list(seen.words), UTF_8), strict=True)
            if not text
        ]
        if len(broken) * 2 > len(seen.words):
            raise Unreadable(
                "bytes that are no UTF-8, as most of the file's words beyond ASCII: leave --encoding out, "
                "and the file is looked at",
                seen.words[broken[0]],
            )
        return Encoding(name, not seen.lone_returns)  # a cell that is none is named by the reader
    _check(path, name, "--encoding says so")
    return Encoding(name, False)


def blocks_of(path: Path) -> Iterator[bytes]:
    """The bytes of a file, block by block."""
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            yield block


def _look(path: Path) -> _Seen:
    seen = _Seen({})
    utf_8 = codecs.getincrementaldecoder(UTF_8)()
    lines, rest = 1, b""
    for block in blocks_of(path):
        if not seen.head:
            seen.head = block[: 1 << 16]
        seen.nulls += block.count(b"\0")
        if b"\r" in block and not seen.lone_returns:
            # An end of line may be cut by the end of the block: that one is no lone return.
            whole = block[:-1] if block.endswith(b"\r") else block
            seen.lone_returns = whole.count(b"\r") > whole.count(b"\r\n")
        if not block.isascii():
            seen.is_ascii = False
            if len(seen.words) < _WORDS:
                _collect(rest + block[: _last_between(block)], lines, seen.words)
        if seen.is_utf_8 and not seen.is_ascii:
            try:
                utf_8.decode(block)
            except UnicodeDecodeError:
                seen.is_utf_8 = False
        # A word that the end of the block cuts is read whole with the next.
        cut = _last_between(block)
        lines += block.count(b"\n")
        rest = block[cut:] if len(block) - cut < 1 << 16 else b""
        lines -= rest.count(b"\n")
    if rest and not rest.isascii() and len(seen.words) < _WORDS:
        _collect(rest, lines, seen.words)
    if seen.is_utf_8 and not seen.is_ascii:
        try:
            utf_8.decode(b"", final=True)
        except UnicodeDecodeError:
            seen.is_utf_8 = False
    if seen.is_utf_8:
        # In a cell of megabytes a word may have been cut: the file as a whole tells more.
        intact = [word for word in seen.words if _read([word], UTF_8) != [None]]
        seen.words = {word: seen.words[word] for word in intact}
    return seen


def _last_between(block: bytes) -> int:
    """The place behind the last byte that ends a word in every encoding."""
    return max(block.rfind(sign) for sign in _BETWEEN) + 1


def _collect(block: bytes, line: int, words: dict[bytes, int]) -> None:
    at = 0
    for match in _WORD.finditer(block):
        word = match[0]
        if word not in words and len(word) <= _LONGEST_WORD:
            line += block.count(b"\n", at, match.start())
            at = match.start()
            words[word] = line
            if len(words) == _WORDS:
                return


def _wide(path: Path, seen: _Seen) -> str | None:
    """UTF-16 without a mark: the reading in which ends of lines and separators stand, and no NUL."""
    sample = seen.head[: len(seen.head) & ~1]
    counts = {
        "utf-16-le": sum(sample[at::2].count(0) for at in (1,)),
        "utf-16-be": sample[0::2].count(0),
    }
    for name in sorted(counts, key=lambda name: -counts[name]):
        # A file of ideographs has few zeros, those of its separators and ends of lines.
        if path.stat().st_size % 2 or not counts[name]:
            continue
        try:
            text = sample.decode(name, "ignore")
        except UnicodeDecodeError:
            continue
        usual = sum(text.count(char) for char in "\n\r,;\t|")
        if usual * 60 < len(text) or "\0" in text:
            continue
        if _fault(path, name) is None:
            return name
    return None


def _check(path: Path, name: str, why: str) -> None:
    fault = _fault(path, name)
    if fault is not None:
        line, piece = fault
        raise Unreadable(
            f"the file is {label_of(name)} ({why}), but {piece} is no character of it; write that "
            "cell anew, or save the whole file as UTF-8",
            line,
        )


def _fault(path: Path, name: str) -> tuple[int, str] | None:
    """The first line that is no text of the encoding, and its bytes; None: all of it is."""
    decoder = codecs.getincrementaldecoder(name)()
    lines = 1
    for block in (*blocks_of(path), b""):
        try:
            lines += decoder.decode(block, final=not block).count("\n")
        except UnicodeDecodeError as error:
            before = error.object[: error.start].decode(name, "replace").count("\n")
            return lines + before, f"0x{error.object[error.start : error.end].hex()}"
    return None


def _most_probable(seen: _Seen) -> str:
    """The one candidate whose reading is far more probable than all that read otherwise."""
    words = list(seen.words)
    readings = {name: _read(words, name) for name in _CANDIDATES}
    broken = [_BROKEN + _BROKEN_BYTE * sum(byte > 127 for byte in word) for word in words]
    ranked = sorted(
        ((_weight(readings[name], name, broken, seen.is_utf_8), name) for name in _CANDIDATES),
        key=lambda one: (-one[0], list(_CANDIDATES).index(one[1])),
    )
    best, name = ranked[0]
    rivals = [
        other
        for weight, other in ranked[1:]
        if weight > best - _SURE
        and readings[other] != readings[name]
        and None not in readings[other]
    ]
    if not rivals:
        return name
    close = [each for each in (name, *rivals) if None not in readings[each]]
    # The word that tells the readings apart best is shown.
    at = max(range(len(words)), key=lambda at: (len({readings[each][at] for each in close}), -at))
    listed = ", ".join(f"{readings[each][at]!r} in {label_of(each)}" for each in close[:4])
    cures = " or ".join(f"--encoding {each}" for each in close[:4])
    raise Unreadable(
        f"its encoding is not certain: the line has {listed}; say which is right by {cures}",
        seen.words[words[at]],
    )


def _read(words: list[bytes], name: str) -> list[str | None]:
    texts: list[str | None] = []
    for word in words:
        try:
            texts.append(word.decode(name))
        except UnicodeDecodeError:
            texts.append(None)
    return texts


def _weight(texts: list[str | None], name: str, broken: list[float], is_utf_8: bool) -> float:
    """How probable it is (logarithm) that words of these readings are meant."""
    group, usual = _CANDIDATES[name]
    if group and group not in EASTERN:
        return usual + _in_languages(texts, group, broken)
    pairs = zip(texts, broken, strict=True)
    if group:
        score = EASTERN[group]
        return usual + sum(lost if t is None else eastern_word(t, score) for t, lost in pairs)
    return usual * is_utf_8 + sum(lost if t is None else _in_any(t) for t, lost in pairs)


def _in_languages(texts: list[str | None], group: str, broken: list[float]) -> float:
    """By the language that fits most of the words; a word of another language counts less."""
    latin, languages = group in LATIN, weights_of(group)
    table = [
        [lost if t is None else lettered_word(t, weights, latin=latin) for weights in languages]
        for t, lost in zip(texts, broken, strict=True)
    ]
    main = max(range(len(languages)), key=lambda at: sum(row[at] for row in table))
    return sum(max(row[main], max(row) + _OTHER_LANGUAGE) for row in table)


def _in_any(text: str) -> float:
    """UTF-8 holds all languages: the one that the word fits best, a little less probable for that."""
    scores = [eastern_word(text, score) for score in EASTERN.values()]
    for group in (*LATIN, *ALPHABETS):
        latin = group in LATIN
        scores += [lettered_word(text, weights, latin=latin) for weights in weights_of(group)]
    return max(scores) + log(1 / 8)
