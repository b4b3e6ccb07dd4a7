"""Redshift's text as words and trees; what only sqlglot would read is refused. No meaning here."""
