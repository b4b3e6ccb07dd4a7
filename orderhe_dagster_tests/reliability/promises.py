"""What is promised, and every attack on it: where it is tested, and by which results it is counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Attack:
    """An attack, in words. `suite`: whose results count it; of those, `names` (all, where none is named).

    `tests`: the files of its short form, which runs with every `make test`; `target`: the long form.
    """

    what: str
    tests: Sequence[str]
    target: str = ""
    suite: str = ""
    names: Sequence[str] = ()


@dataclass(frozen=True)
class Promise:
    """A sentence that may be relied on."""

    text: str
    attacks: Sequence[Attack]


_CHAOS = ("chaos/test_chaos.py",)
_LINES = ("run-mysql", "run-s3", "run-redshift", "redshift-s3")


def _chaos(what: str, *names: str) -> Attack:
    return Attack(f"{what}, on the real systems", _CHAOS, "make chaos", "chaos", names)


PROMISES = (
    Promise(
        "a reader sees a day before or after, never between; one rerun after any fault makes the "
        "warehouse what the source is",
        (
            _chaos(
                "`kill -9` of the run at boundaries and at any time",
                "kill -9 of the run at a boundary",
                "kill -9 of the run at any time",
            ),
            _chaos("SIGINT, SIGTERM of the run", "SIGINT or SIGTERM of the run"),
            _chaos(
                "SIGSTOP of the run while a newer one overtakes it",
                "SIGSTOP of the run, overtaken by another",
            ),
            _chaos(
                "`kill -9` of MariaDB and of the Redshift server",
                "kill -9 of MariaDB",
                "kill -9 of the Redshift server",
            ),
            _chaos(
                "SIGSTOP of MariaDB, of the S3 server, of the Redshift server",
                "SIGSTOP of MariaDB",
                "SIGSTOP of the S3 server",
                "SIGSTOP of the Redshift server",
            ),
            _chaos("every connection cut at a boundary", "every connection cut at a boundary"),
            *(
                _chaos(f"{what} of every line", *(f"{kind} {line}" for line in _LINES))
                for what, kind in (
                    ("a connection reset", "reset"),
                    ("a connection closed", "FIN"),
                    ("a connection that stalls", "stall"),
                    ("a peer that sends a byte now and then", "drip"),
                )
            ),
            _chaos("503 of S3", "503 run-s3", "503 redshift-s3"),
            Attack(
                "`kill -9` and Ctrl-C at every boundary of a run, on the laptop",
                ("faults/test_faults.py",),
                "make kills",
                "kills",
            ),
            Attack(
                "a run that stands still while another overtakes it, on the laptop",
                ("faults/test_faults.py",),
                "make kills",
                "zombies",
            ),
            Attack(
                "several runs at once, on the laptop",
                ("faults/test_faults.py",),
                "make kills",
                "crowds",
            ),
        ),
    ),
    Promise(
        "a bit that is flipped on the way is refused by TLS; without TLS it is found by a sum or a "
        "digest, named and mended",
        (
            _chaos("a bit flipped on every line, TLS", *(f"bit flip {n}, TLS" for n in _LINES)),
            _chaos("a bit flipped on every line, plain", *(f"bit flip {n}, plain" for n in _LINES)),
        ),
    ),
    Promise(
        "a full disk is named with the file, and loses nothing",
        (
            _chaos(
                "no file may grow, of the run and of the Redshift server",
                "disk full of the run",
                "disk full of the Redshift server",
            ),
        ),
    ),
    Promise(
        "what differs, on any day and by any hand, is found, named by key and mended",
        (
            Attack(
                "damages of source, backup, warehouse and marts",
                ("drill/test_drill.py",),
                "make drill",
                "drill",
            ),
        ),
    ),
    Promise(
        "a commit whose answer is lost is neither lost nor doubled",
        (
            Attack(
                "a proxy that cuts the connection at each commit",
                ("faults/test_redshift_connections.py",),
            ),
        ),
    ),
    Promise(
        "what has had its time goes, nothing that counts does",
        (
            Attack("the janitor between all writes of a run", ("road/test_janitor.py",)),
            Attack(
                "the janitor beside loads that are killed, doubled and repeated",
                ("road/test_janitor.py",),
                "make kills",
                "janitor",
            ),
        ),
    ),
    Promise(
        "nothing waits for ever, and one rerun heals",
        (
            Attack(
                "every server stopped before, during and after each kind of request; peers that are silent "
                "or drip; with TLS and without",
                (
                    "faults/test_mysql_waits.py",
                    "faults/test_redshift_waits.py",
                    "faults/test_s3_waits.py",
                ),
                "make waits",
                "waits",
            ),
        ),
    ),
    Promise(
        "a run has an end, whoever started it and however it was killed",
        (
            Attack(
                "processes of every entry point killed, a backfill too",
                ("faults/test_run_ends.py",),
                "make waits",
                "waits",
            ),
        ),
    ),
    Promise(
        "the backups alone make warehouse and source again; one altered byte is found and named",
        (
            Attack(
                "restores killed at their boundaries",
                ("road/test_restore.py", "road/test_restore_source.py"),
                "make kills",
                "restore_kills",
            ),
            Attack(
                "one byte altered in objects of the backups",
                ("road/test_restore.py",),
                "make kills",
                "flips",
            ),
        ),
    ),
    Promise(
        "a damaged file is healed where another copy tells the truth, else named with its path and what "
        "helps; none stops the days beside it",
        (
            Attack(
                "every kind of file of a home removed, cut short, emptied, one byte altered",
                ("faults/test_damage.py", "faults/test_own_files.py"),
                "make kills",
                "own_files",
            ),
        ),
    ),
)
