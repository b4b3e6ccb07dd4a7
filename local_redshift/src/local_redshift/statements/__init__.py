"""Statements that are not queries: DDL, DML, grants, settings; and which statement is run by what."""
