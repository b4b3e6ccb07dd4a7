"""Settings and state of this machine: environment, home, first day, locks. Knows no server and no row."""
