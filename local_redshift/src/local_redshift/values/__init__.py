"""Typed values: types, casts, operators, names in scope, the catalog of tables. No query here."""
