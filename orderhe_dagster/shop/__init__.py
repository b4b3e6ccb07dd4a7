"""The living shop: a deterministic simulation and its truth ledger. No Dagster, no driver, no I/O.

`model.Shop` says what the shop's state is; `simulate` carries it into a database; `truth` says,
without SQL, what the marts must show.
"""
