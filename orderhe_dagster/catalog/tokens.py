"""A statement as a flat list of words with lines, and a cursor over it. Nothing is understood here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from orderhe_dagster.catalog.errors import Problem

Sort = Literal["word", "name", "string", "number", "symbol", "end"]


@dataclass(frozen=True)
class Word:
    """One token: a bare word, a quoted name, a string, a number, or a symbol such as `(`."""

    sort: Sort
    text: str  # unquoted
    line: int
    start: int  # offsets of the first and behind the last character
    stop: int

    @property
    def upper(self) -> str:
        """The text in capitals for a bare word or a symbol; '' for names and strings."""
        return self.text.upper() if self.sort in ("word", "symbol") else ""


def tokenize(path: str, text: str, dialect: str) -> list[Word]:
    """Cut `text` into words; multi-word keywords are cut apart, comments are left out."""
    from sqlglot import TokenType
    from sqlglot.dialects.dialect import Dialect
    from sqlglot.errors import TokenError

    sorts: dict[TokenType, Sort] = {
        TokenType.IDENTIFIER: "name",
        TokenType.STRING: "string",
        TokenType.NATIONAL_STRING: "string",
        TokenType.NUMBER: "number",
        TokenType.BIT_STRING: "number",
        TokenType.HEX_STRING: "number",
    }
    try:
        tokens = Dialect.get_or_raise(dialect).tokenize(text)
    except TokenError as error:
        raise Problem(path, _open_quote_line(text), f"cannot be read as SQL: {error}") from None
    words: list[Word] = []
    for token in tokens:
        raw = text[token.start : token.end + 1]
        bare = raw[:1].isalnum() or raw[:1] in "_$" or ord(raw[0]) > 127
        sort = sorts.get(token.token_type, "word" if bare else "symbol")
        line = text.count("\n", 0, token.start) + 1
        if sort != "word" or not any(mark.isspace() for mark in raw):
            shown = token.text if sort in ("name", "string", "number") else raw
            words.append(Word(sort, shown, line, token.start, token.end + 1))
            continue
        at = token.start
        for part in raw.split():
            at = text.index(part, at)
            words.append(Word("word", part, text.count("\n", 0, at) + 1, at, at + len(part)))
            at += len(part)
    return words


def single_statement(
    path: str, text: str, words: list[Word], wanted: str
) -> tuple[str, list[Word]]:
    """The only statement of a file: its text without the semicolon, and its words."""
    stops = [
        number for number, word in enumerate(words) if word.text == ";" and word.sort == "symbol"
    ]
    last = stops[0] if stops else len(words)
    if last == 0:
        raise Problem(path, 1, f"no statement in this file; it holds exactly one {wanted}")
    more = next((word for word in words[last:] if word.text != ";"), None)
    if more is not None:
        raise Problem(path, more.line, f"a second statement; a file holds exactly one {wanted}")
    body = text[: words[last].start] if stops else text
    return body.rstrip(), words[:last]


def _open_quote_line(text: str) -> int:
    """The line of the last line that has an odd number of quotes: where a string was left open."""
    odd = [n for n, line in enumerate(text.split("\n"), start=1) if line.count("'") % 2]
    return odd[-1] if odd else 1


class Cursor:
    """Reads words one by one; every error it raises names the file and the line."""

    def __init__(self, path: str, text: str, words: list[Word]) -> None:
        self.path, self.text, self.words, self.at = path, text, words, 0

    @property
    def here(self) -> Word:
        """The word at hand; a word of sort `end` behind the last."""
        if self.at < len(self.words):
            return self.words[self.at]
        last = self.words[-1]
        return Word("end", "the end of the file", last.line, last.stop, last.stop)

    def next(self) -> Word:
        """Take the word at hand."""
        word = self.here
        self.at += 1
        return word

    def sees(self, *texts: str) -> bool:
        """Whether the next words are these (bare words or symbols, in any case)."""
        ahead = self.words[self.at : self.at + len(texts)]
        return len(ahead) == len(texts) and all(
            word.upper == text.upper() for word, text in zip(ahead, texts, strict=True)
        )

    def takes(self, *texts: str) -> bool:
        """Take these words if they are next."""
        present = self.sees(*texts)
        if present:
            self.at += len(texts)
        return present

    def needs(self, *texts: str) -> Word:
        """Take these words or raise; gives the first."""
        word = self.here
        if not self.takes(*texts):
            raise self.problem(f"{' '.join(texts)!r} is expected here, found {word.text!r}", word)
        return word

    def name(self, what: str) -> Word:
        """Take a name, quoted or bare, or raise."""
        word = self.next()
        if word.sort not in ("word", "name"):
            raise self.problem(f"the name of {what} is expected here, found {word.text!r}", word)
        return word

    def block(self) -> list[Word]:
        """Take a `( … )` block and give the words inside, nested blocks included."""
        opening = self.needs("(")
        start, depth = self.at, 1
        while depth:
            word = self.next()
            if word.sort == "end":
                raise self.problem("this ( is never closed", opening)
            depth += (word.upper == "(") - (word.upper == ")")
        return self.words[start : self.at - 1]

    def problem(self, message: str, word: Word | None = None) -> Problem:
        """A problem on the line of `word` (the word at hand)."""
        return Problem(self.path, (word or self.here).line, message)
