"""Dagster's run history, by the name that `dagster.yaml` has for it; the storages are this room's modules.

Only storages that Dagster hands events to belong here: no asset, no question of what a run did.
"""

from orderhe_dagster.history.sqlite import History

__all__ = ["History"]
