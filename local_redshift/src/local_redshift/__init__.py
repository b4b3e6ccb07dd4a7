"""A strict local Redshift: its SQL, COPY and transactions on DuckDB. Knows no Dagster."""
