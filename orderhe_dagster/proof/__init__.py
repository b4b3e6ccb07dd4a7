"""Whether what is held is right: agreement of the layers, claims, their check results. No Dagster."""
