"""`python -m local_redshift`: see `serve`."""

from __future__ import annotations

from local_redshift.serve import main

if __name__ == "__main__":
    main()
