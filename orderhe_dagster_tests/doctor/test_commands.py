"""Every `aws` command that is advised is one: its service, operation and options are botocore's own."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from orderhe_dagster.doctor.explain import recognised
from orderhe_dagster.doctor.signature import Cure, Example, Signature, filled
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
    lines = []
    for line in [line for fix in _fixes(one, example) for line in commands(fix)]:
        inner = line
        while match := NESTED.search(inner):
            lines.append(match[1])
            inner = inner.replace(match[0], "found-out")
        lines.append(re.sub(r"\$\(curl [^)]*\)", "203.0.113.7", inner))
    return lines


def _fixes(one: Signature, example: Example) -> Iterator[str]:
    """The fix for the place of the example, and those for other places."""
    for cure in (one, *one.others):
        of_place = cure.facts if isinstance(cure, Cure) else {}
        there = {**example.facts, **of_place}
        _, facts = recognised(Symptom(one.system, example.text, example.code, there))
        assert not isinstance(cure, Cure) or cure.when(facts), f"{one.name}: no place is like that"
        yield filled(cure.command, facts, cure.kind)


@pytest.mark.parametrize("line", advised().values(), ids=advised().keys())
def test_a_command_is_one(line: str) -> None:
    words = line.split()
    if tuple(words[1:3]) in OF_THE_LINE_ALONE:
        return
    service, operation, _ = parsed(re.sub(r"<[^>]+>", "1", line))
    assert service
    assert operation
