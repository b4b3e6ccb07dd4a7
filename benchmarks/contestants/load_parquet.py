"""The half of the work that an extractor leaves: its Parquet files into a table of a DuckDB file.

`load_parquet.py FOLDER PATTERN COMMAND...` runs the extractor first, so that both are one process tree.
"""

from __future__ import annotations

import subprocess
import sys

DATABASE = "loaded.duckdb"


def main(folder: str, pattern: str, *command: str) -> None:
    """Extract, then load."""
    import duckdb

    done = subprocess.run(command, cwd=folder, check=False)
    if done.returncode:
        sys.exit(done.returncode)
    with duckdb.connect(f"{folder}/{DATABASE}") as connection:
        connection.execute(
            f"create or replace table orders as from read_parquet('{folder}/{pattern}')"
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
