"""Your own assets, checks, schedules, sensors and components (`dg scaffold defs …`). Nothing of ours.

Whatever lies here is merged with the shop's definitions: docs/running.md shows how.
"""
