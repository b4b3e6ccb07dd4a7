"""The adapters that need nothing installed: DuckDB files, a folder, the local Redshift in this process."""
