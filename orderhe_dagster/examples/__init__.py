"""Examples of models: rows given, rows expected, as an analyst writes them in `sql/examples/`. No Dagster."""
