"""Source, Store, Warehouse: what the road needs of the outside world. Promises only, no driver."""
