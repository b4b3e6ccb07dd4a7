"""Queries: Redshift's tree to DuckDB's text, a rule for each kind of node. Nothing is run here."""
