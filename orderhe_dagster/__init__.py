"""An e-commerce data platform: `sql/` is the program, this package its interpreter. No code lives here."""
