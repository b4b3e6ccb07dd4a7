"""The functions of SQL, each a rule from typed arguments to DuckDB's text. How calls are found: compile."""
