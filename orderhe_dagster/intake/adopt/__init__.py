"""Contracts of a MySQL that is already there: what `orderhe adopt` writes. No connection is opened here."""
