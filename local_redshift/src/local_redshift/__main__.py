"""`python -m local_redshift`: see `wire.serve`."""

from __future__ import annotations

from local_redshift.wire.serve import main

if __name__ == "__main__":
    main()
