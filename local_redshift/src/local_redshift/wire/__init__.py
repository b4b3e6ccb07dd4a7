"""The PostgreSQL 3.0 protocol as Redshift speaks it: listening, logging in, messages. No SQL is read here."""
