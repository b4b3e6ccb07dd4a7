"""The page that a shop's owner opens in the morning: one file, drawn from the exports. No Dagster.

What it shows and how it looks lies in `page/`; what it is told is `payload`'s.
"""
