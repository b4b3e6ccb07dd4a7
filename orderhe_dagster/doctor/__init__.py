"""What goes wrong on the road, why, and the one fix: signatures, the walk. Only `probe` opens something."""
