"""An e-commerce data platform: `sql/` is the program, this package interprets it. No code here."""
