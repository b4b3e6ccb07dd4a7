"""The steps of the road, as plain functions: extract, back up, load, build, export. No Dagster, no driver."""
