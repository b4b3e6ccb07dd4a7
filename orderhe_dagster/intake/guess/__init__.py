"""The contract and the map that a file shows, as `adopt` writes them from a database. See `guesser`."""

from orderhe_dagster.intake.guess.guesser import guess

__all__ = ["guess"]
