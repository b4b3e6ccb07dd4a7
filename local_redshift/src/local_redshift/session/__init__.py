"""A session: its transaction, one statement at a time. What sessions share: `database`."""
