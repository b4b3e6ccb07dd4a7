"""Transactions side by side: locks, snapshots, conflicts, and the log of what ran. Knows no SQL."""
