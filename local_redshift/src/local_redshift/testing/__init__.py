"""A local Redshift for tests: a server with TLS on a free port of the loopback, and its certificates."""
