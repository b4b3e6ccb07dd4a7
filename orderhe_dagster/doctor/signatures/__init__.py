"""The table of signatures, a module a system: what is said, why, how that is known, what mends it."""
