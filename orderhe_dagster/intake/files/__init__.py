"""What a file is before a table is thought of: packing, encoding, rows. Types and contracts are elsewhere."""
