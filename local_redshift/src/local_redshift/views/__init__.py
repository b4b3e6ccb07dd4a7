"""The system views: what clients and people ask of catalog, sessions and loads."""
