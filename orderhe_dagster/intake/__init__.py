"""A shop's own tables and files coming in: `adopt` its schema, read `files`, `guess` and `importing`."""
