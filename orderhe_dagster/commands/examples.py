"""`orderhe test`: the examples of `sql/examples`. How they are read and run: the room `examples`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from orderhe_dagster.settings.config import Settings


def try_examples(settings: Settings, names: Sequence[str], say: Callable[[str], None]) -> bool:
    """Run the examples of the tables that are named, or of all; say how each went. Whether all passed.

    Raises ExamplesError, UnknownModel. Models without an example are told of, and are no fault.
    """
    from orderhe_dagster.examples.reader import models_named, read_examples
    from orderhe_dagster.examples.report import lines_of, summary
    from orderhe_dagster.examples.runner import run_examples
    from orderhe_dagster.resources.build import build_memory_warehouse
    from orderhe_dagster.settings.project import read_catalogue

    catalogue = read_catalogue(settings)
    tables = models_named(catalogue, names)
    examples = [one for one in read_examples(catalogue) if one.table in tables]
    verdicts = []
    with build_memory_warehouse() as session:
        for verdict in run_examples(catalogue, examples, session):
            verdicts.append(verdict)
            for line in lines_of(verdict):
                say(line)
    for line in summary(verdicts, tables):
        say(line)
    return all(verdict.passed for verdict in verdicts)
