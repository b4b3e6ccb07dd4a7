"""The catalogue: text of `sql/` to Table objects. Pure; never imports dagster."""
