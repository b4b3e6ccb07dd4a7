"""Writes the table of signatures into docs/doctor.md. `make signatures` writes it; a test compares."""

from __future__ import annotations

from pathlib import Path

from orderhe_dagster.doctor.explain import explain_symptom, recognised
from orderhe_dagster.doctor.signature import Example, Explanation, Signature, filled
from orderhe_dagster.doctor.signatures.table import CHAPTERS, SIGNATURES
from orderhe_dagster.ports.errors import Symptom

PAGE = Path(__file__).resolve().parents[1] / "docs" / "doctor.md"
BEGIN = "<!-- What follows is written by `make signatures` from `orderhe_dagster/doctor/signatures/`. -->\n"
_INTRODUCTION = """
## What is recognised

{count} signatures, each with what was seen. Where an example says *seen*, a test makes it happen.
"""


def page() -> str:
    """The whole page: what is written by hand, then the table."""
    parts = [
        PAGE.read_text("utf-8").partition(BEGIN)[0],
        BEGIN,
        _INTRODUCTION.replace("{count}", str(len(SIGNATURES))),
    ]
    for title, signatures in CHAPTERS.items():
        parts.append(f"\n### {title}\n\n")
        parts.append("| it is | because |\n|---|---|\n")
        parts += [
            f"| [{one.title}](#{one.name}) | {_plain(_why(one).how)} |\n" for one in signatures
        ]
        parts += [_section(one) for one in signatures]
    return "".join(parts)


def _plain(text: str) -> str:
    return text.replace("|", r"\|")


def _why(signature: Signature) -> Explanation:
    """The explanation of its first example."""
    example = signature.examples[0]
    symptom = Symptom(signature.system, example.text, example.code, example.facts)
    why = explain_symptom(symptom)
    assert why is not None
    return why


_LANGUAGE = {"sh": "sh", "sql": "sql", "env": "sh"}
_WHERE = {"sh": "", "sql": " (as SQL)", "env": " (in .env)"}


def _section(signature: Signature) -> str:
    why = _why(signature)
    language, where = _LANGUAGE[why.kind], _WHERE[why.kind]
    lines = [
        f'\n<a id="{signature.name}"></a>\n\n#### {signature.title}',
        "",
        *(f"- {_seen(one)}" for one in signature.examples),
        "",
        f"{_begin(why.cause)}. It is known because {why.how}.",
        "",
        f"Fix{where}:",
        "",
        f"```{language}\n{why.command}\n```",
    ]
    if why.console:
        lines += ["", f"{_begin(why.console)}."]
    example = signature.examples[0]
    for cure in signature.others:
        there = {**example.facts, **cure.facts}
        _, facts = recognised(Symptom(signature.system, example.text, example.code, there))
        lines += ["", f"{_begin(cure.where)}{_WHERE[cure.kind]}:", ""]
        lines += [f"```{_LANGUAGE[cure.kind]}\n{filled(cure.command, facts, cure.kind)}\n```"]
        if cure.console:
            lines += ["", f"{_begin(filled(cure.console, facts))}."]
    return "\n".join([*lines, ""])


def _seen(example: Example) -> str:
    code = f"`{example.code}` " if example.code else ""
    return f"{code}`{example.text.replace('`', '')}` ({example.source})"


def _begin(text: str) -> str:
    first = text.split(" ", 1)[0]
    begun = f"{text[:1].upper()}{text[1:]}" if first.strip(",:;'").isalpha() else text
    return begun.rstrip(".")


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), "utf-8")


if __name__ == "__main__":
    main()
