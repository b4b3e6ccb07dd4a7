"""A session: its transaction, one statement at a time; and the database that sessions share."""
