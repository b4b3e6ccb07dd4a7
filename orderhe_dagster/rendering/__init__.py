"""Rows and figures for people: tables, CSV, pictures, progress, masks. Nothing is fetched here."""
