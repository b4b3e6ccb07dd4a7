"""The words of a statement: a scanner for splitting scripts and reading DDL, COPY and utility statements.

Queries are read by sqlglot (`dialect`); this reads what sqlglot would swallow whole.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from local_redshift.errors import RedshiftError, refuse
from local_redshift.read.dialect import DATABASE, RESERVED, folded
from local_redshift.read.secrets import is_secret

MAX_BYTES = 16 * 1024 * 1024
_SCAN = re.compile(
    r"""(?P<space>\s+|--[^\n]*|/\*.*?\*/)
    |(?P<string>'(?:[^'\\]|\\.|'')*'|\$\$.*?\$\$)
    |(?P<quoted>"(?:[^"]|"")*")
    |(?P<number>\d+(?:\.\d+)?|\.\d+)
    |(?P<word>[^\W\d][\w$]*)
    |(?P<sign>::|<>|!=|<=|>=|\|\||[-+*/%(),.;:=<>~!&|^@#?\[\]{}$])""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True)
class Word:
    """A word, sign, number or string; `text` as written, `start` and `end` its place (end not in it)."""

    kind: str
    text: str
    start: int
    end: int

    @property
    def lower(self) -> str:
        """The folded text of a bare word; signs as they are; nothing for quoted text."""
        return self.text.lower() if self.kind in ("word", "sign") else ""


def scan(sql: str) -> list[Word]:
    """All words of a text. RedshiftError where a quote does not end."""
    words, at = [], 0
    while at < len(sql):
        match = _SCAN.match(sql, at)
        if match is None:
            near = "'***" if is_secret(sql, at) else sql[at : at + 20]
            raise RedshiftError("42601", f"syntax error at or near {near!r}")
        if match.lastgroup != "space":
            words.append(Word(str(match.lastgroup), match[0], match.start(), match.end()))
        at = match.end()
    return words


def split(script: str) -> list[str]:
    """The statements of a script, without their semicolons; semicolons in quotes do not count."""
    statements, start, filled = [], 0, False
    for word in scan(script):
        if word.lower == ";":
            if filled:
                statements.append(script[start : word.start].strip())
            start, filled = word.end, False
        else:
            filled = True
    if filled:
        statements.append(script[start:].strip())
    return statements


class Words:
    """A cursor over the words of one statement; every `expect` that fails is Redshift's syntax error."""

    def __init__(self, sql: str) -> None:
        if len(sql) > MAX_BYTES // 4 and len(sql.encode("utf-8")) > MAX_BYTES:
            raise RedshiftError("54000", "Statement is too large: more than 16 MB")
        self.sql, self.words, self.at = sql, scan(sql), 0
        while self.words and self.words[-1].lower == ";":
            self.words.pop()
        if any(word.lower == ";" for word in self.words):
            raise RedshiftError(
                "42601",
                "cannot insert multiple commands into a prepared statement: send one at a time",
            )

    @property
    def done(self) -> bool:
        """Nothing is left."""
        return self.at >= len(self.words)

    def peek(self, *texts: str) -> bool:
        """Whether the next words are these."""
        ahead = self.words[self.at : self.at + len(texts)]
        return [word.lower for word in ahead] == list(texts)

    def take(self, *texts: str) -> bool:
        """Step over these words if they are next."""
        if not self.peek(*texts):
            return False
        self.at += len(texts)
        return True

    def expect(self, *texts: str) -> None:
        """Step over these words, which must be next."""
        if not self.take(*texts):
            raise self.error(f"{' '.join(texts)} expected")

    def error(self, hint: str = "") -> RedshiftError:
        """Redshift's syntax error at the next word."""
        near = "end of input"
        if not self.done:
            word = self.words[self.at]
            shown = "'***'" if is_secret(self.sql, word.start) else word.text[:60]
            near = f'"{shown}"'
        return RedshiftError(
            "42601", f"syntax error at or near {near}{': ' + hint if hint else ''}"
        )

    def end(self) -> None:
        """Nothing may be left: what is left has no rule."""
        if not self.done:
            rest = self.sql[self.words[self.at].start :][:60]
            raise refuse(f"{rest!r} here", "leave it out")

    def next(self) -> Word:
        """The next word, whatever it is."""
        if self.done:
            raise self.error()
        self.at += 1
        return self.words[self.at - 1]

    def name(self) -> str:
        """An identifier, folded; a reserved word must be quoted."""
        word = self.next()
        if word.kind == "quoted":
            return folded(word.text[1:-1].replace('""', '"'))
        if word.text == "#" and not self.done and self.words[self.at].start == word.end:
            return folded(f"#{self.name()}")  # a temporary table's
        if word.kind != "word" or word.lower in RESERVED:
            self.at -= 1
            raise self.error("a name expected; reserved words must be quoted")
        return folded(word.text)

    def table(self) -> tuple[str | None, str]:
        """A table's name: (schema or None, name)."""
        first = self.name()
        if not self.take("."):
            return None, first
        second = self.name()
        if not self.take("."):
            return first, second
        if first != DATABASE:
            raise refuse("a name of another database", "leave the database out")
        return second, self.name()

    def names(self) -> list[str]:
        """Names in brackets."""
        self.expect("(")
        names = [self.name()]
        while self.take(","):
            names.append(self.name())
        self.expect(")")
        return names

    def string(self) -> str:
        """A string literal's value."""
        word = self.next()
        if word.kind != "string" or "\\" in word.text:
            self.at -= 1
            raise self.error("a string in single quotes, without backslashes, expected")
        quoted = word.text
        return quoted[2:-2] if quoted.startswith("$$") else quoted[1:-1].replace("''", "'")

    def rest(self) -> str:
        """The text from the next word on; the cursor moves to the end."""
        if self.done:
            return ""
        start, self.at = self.words[self.at].start, len(self.words)
        return self.sql[start : self.words[-1].end]

    def brackets(self) -> str:
        """The text between the bracket that is next and its partner."""
        self.expect("(")
        start, depth = self.at, 1
        while depth:
            depth += {"(": 1, ")": -1}.get(self.next().lower, 0)
        inside = self.words[start : self.at - 1]
        return self.sql[inside[0].start : inside[-1].end] if inside else ""
