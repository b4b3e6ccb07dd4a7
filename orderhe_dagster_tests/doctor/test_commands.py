"""Every `aws` command that is advised is one: its service, operation and options are botocore's own."""

from __future__ import annotations

import re

import pytest

from orderhe_dagster.doctor.explain import explain_symptom
from orderhe_dagster.doctor.signature import Example, Signature
from orderhe_dagster.doctor.signatures.table import SIGNATURES
from orderhe_dagster.ports.errors import Symptom
from orderhe_dagster_tests.doctor.aws import OF_THE_LINE_ALONE, commands, parsed

NESTED = re.compile(r"\$\((aws (?:[^()]|\([^()]*\))*?)(?: \| [^()]*)?\)")


def advised() -> dict[str, str]:
    """Each command, those within commands too, by a name."""
    found: dict[str, str] = {}
    for one in SIGNATURES:
        for number, line in enumerate(_lines(one, one.examples[0])):
            found[f"{one.name}-{number}"] = line
    return found


def _lines(one: Signature, example: Example) -> list[str]:
    why = explain_symptom(Symptom(one.system, example.text, example.code, example.facts))
    assert why is not None
    lines = []
    for line in commands(why.command) if why.kind == "sh" else []:
        inner = line
        while match := NESTED.search(inner):
            lines.append(match[1])
            inner = inner.replace(match[0], "found-out")
        lines.append(re.sub(r"\$\(curl [^)]*\)", "203.0.113.7", inner))
    return lines


@pytest.mark.parametrize("line", advised().values(), ids=advised().keys())
def test_a_command_is_one(line: str) -> None:
    words = line.split()
    if tuple(words[1:3]) in OF_THE_LINE_ALONE:
        return
    service, operation, _ = parsed(re.sub(r"<[^>]+>", "1", line))
    assert service
    assert operation
