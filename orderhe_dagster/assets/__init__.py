"""Assets, one builder a layer, in flow order: raw, backup, warehouse, models, export."""
