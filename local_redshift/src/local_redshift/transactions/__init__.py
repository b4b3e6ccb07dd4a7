"""Transactions side by side: locks, snapshots, conflicts. Knows no SQL, and keeps no log of what ran."""
