"""Importing a file into a raw table: judged as a whole, loaded whole or not at all. See `importer`."""

from orderhe_dagster.intake.importing.importer import Imported, import_file
from orderhe_dagster.intake.importing.problems import ImportProblems, Problem

__all__ = ["ImportProblems", "Imported", "Problem", "import_file"]
