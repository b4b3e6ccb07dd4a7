"""Equality of source, backup and warehouse; claims about tables and their verdicts. No Dagster."""
