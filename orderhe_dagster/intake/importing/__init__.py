"""Importing a file into a raw table: judged as a whole, loaded whole or not at all. See `importer`."""

from orderhe_dagster.intake.importing.column_map import ColumnMap, chosen_map
from orderhe_dagster.intake.importing.hints import Hints, WrongHint
from orderhe_dagster.intake.importing.importer import Imported, import_file
from orderhe_dagster.intake.importing.problems import ImportProblems, Problem

__all__ = [
    "ColumnMap",
    "Hints",
    "ImportProblems",
    "Imported",
    "Problem",
    "WrongHint",
    "chosen_map",
    "import_file",
]
