"""The first marts of a shop that was adopted: what `orderhe start` writes. No connection is opened here."""
