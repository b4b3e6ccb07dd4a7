"""A signature: how an error is recognised, its cause, and the one fix. Which there are: `signatures`."""

from __future__ import annotations

import re
import shlex
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from orderhe_dagster.doctor.template_parameters import by_templates
from orderhe_dagster.ports.errors import Symptom

Facts = Mapping[str, str]
PAGE = "docs/doctor.md"
_NAME = re.compile(r"\{([a-z_]+)\}")
_WIDTH = 100
_PLAIN = re.compile(r"[\w@%+=:,./*-]+")
OF_SHELL = {
    *(
        "my_address",
        "security_group",
        "namespace",
        "workgroup_arn",
        "attached_roles",
        "caller_name",
    ),
    *("role", "role_name", "on_host"),
}
"""Facts that may be a command of ours, by which the shell finds them out."""


@dataclass(frozen=True)
class Example:
    """A text that was seen, or that a maker's page or somebody's report has; `source` says which."""

    text: str
    source: str
    code: str = ""
    facts: Facts = field(default_factory=dict)


def _always(_facts: Facts) -> bool:
    return True


@dataclass(frozen=True)
class Cure:
    """Another fix for the same cause, for places of which `when` holds; `where` names them to a reader.

    `facts`: what makes a place one of them, as an example.
    """

    when: Callable[[Facts], bool]
    where: str
    command: str
    console: str = ""
    kind: str = "sh"
    facts: Facts = field(default_factory=dict)


@dataclass(frozen=True)
class Signature:
    """One row of the table. `{…}` in `cause`, `command` and `console` are facts; unknown ones become <…>.

    It is recognised where the text matches `pattern` (or the code is one of `codes`, where no pattern is
    given; both must hold where both are) and `when` holds for the facts. `command` is what mends it: of a
    shell, of SQL or lines of .env, as `kind` says; of `others` the first that fits the place goes before it.
    """

    name: str
    system: str
    title: str
    cause: str
    how: str
    command: str
    examples: tuple[Example, ...]
    kind: str = "sh"
    console: str = ""
    pattern: str = ""
    codes: tuple[str, ...] = ()
    when: Callable[[Facts], bool] = _always
    others: tuple[Cure, ...] = ()

    def fits(self, symptom: Symptom, facts: Facts) -> bool:
        """Whether this is what was said."""
        if self.system != symptom.system or (self.codes and symptom.code not in self.codes):
            return False
        if self.pattern and not re.search(self.pattern, symptom.text, re.IGNORECASE | re.DOTALL):
            return False
        return self.when(facts)


@dataclass(frozen=True)
class Explanation:
    """What happened, why, how that is known and what mends it, with all that is known filled in."""

    name: str
    title: str
    cause: str
    how: str
    command: str
    kind: str
    console: str = ""
    stack: str = ""
    """The template and the parameter that mend it, for who deployed those of `infra/`."""

    @property
    def page(self) -> str:
        """Where more of it is told."""
        return f"{PAGE}#{self.name}"

    def lines(self, width: int = _WIDTH) -> list[str]:
        """For a person; prose is broken at `width`, a command never."""

        def prose(label: str, text: str) -> list[str]:
            return textwrap.wrap(
                f"{label:<6}{text}",
                width,
                subsequent_indent=" " * 6,
                break_long_words=False,
                break_on_hyphens=False,
            )

        where = {"sh": "", "sql": " (as SQL)", "env": " (lines of .env)"}[self.kind]
        return [
            *prose("why:", self.cause),
            *prose("seen:", self.how),
            f"fix{where}:",
            *(f"      {line}" for line in self.command.splitlines()),
            *(prose("or:", self.console.removeprefix("or ")) if self.console else []),
            *(prose("stack:", f" {self.stack}") if self.stack else []),
            f"more: {self.page}",
        ]

    def text(self) -> str:
        """The same in one text."""
        return "\n".join([self.title, *self.lines()])

    def record(self) -> dict[str, str]:
        """The same for programs."""
        return {
            "signature": self.name,
            "title": self.title,
            "cause": self.cause,
            "how": self.how,
            "fix": self.command,
            "fix_kind": self.kind,
            "console": self.console,
            "stack": self.stack,
            "page": self.page,
        }


def filled(text: str, facts: Facts, kind: str = "") -> str:
    """The text with facts in place of {names}; what is not known is shown as <name>."""

    def put(match: re.Match[str]) -> str:
        value = facts.get(match[1])
        if value is None or (kind in ("sql", "env") and value.startswith("$(")):  # a shell's alone
            return f"<{match[1].replace('_', '-')}>"
        if kind == "sh" and match[1] not in OF_SHELL and not _PLAIN.fullmatch(value):
            return shlex.quote(value)
        return value.replace("'", "''") if kind == "sql" else value

    return _NAME.sub(put, text)


def explained(signature: Signature, facts: Facts, seen: str = "") -> Explanation:
    """A signature with the facts filled in; `seen`: what confirms it besides the error."""
    cure = next((one for one in signature.others if one.when(facts)), signature)
    return Explanation(
        signature.name,
        signature.title,
        filled(signature.cause, facts),
        "; ".join(filter(None, (filled(signature.how, facts), seen))),
        filled(cure.command, facts, cure.kind),
        cure.kind,
        filled(cure.console, facts),
        # What is mended without AWS was not made by a template.
        by_templates(signature.name) if re.search(r"\baws\b", cure.command) else "",
    )
