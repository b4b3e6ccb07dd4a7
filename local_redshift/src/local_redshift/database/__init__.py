"""The database that sessions share: its file, store, roles, logs; what a session is. No statement here."""
