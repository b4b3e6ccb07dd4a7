"""What every extract shares: Parquet parts cut by day, and the rows set apart. No source is opened here."""
