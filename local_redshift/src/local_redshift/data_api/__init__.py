"""The Data API of Redshift over HTTP: statements by requests, their results in pages."""
