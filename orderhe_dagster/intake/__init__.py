"""A shop's own tables and files coming in: `adopt` its schema, `importing` its files, `start` the marts."""
