"""A few points of every attack on one shop, in one process: what the tests run."""

from __future__ import annotations

import signal
import sys
import tempfile
from pathlib import Path

from orderhe_dagster_tests.faults import broken
from orderhe_dagster_tests.faults.crowds import together
from orderhe_dagster_tests.faults.kills import PART, attack, load_modules, prepare
from orderhe_dagster_tests.faults.zombies import overtake

KILLS = (
    # Some days are backed up, others not.
    ("before put backup/sales/index.json", signal.SIGKILL),
    # The old rows are deleted, the new not inserted.
    ('before insert into warehouse."sales"', signal.SIGKILL),
    # Loaded, but Dagster does not know.
    ("after commit", signal.SIGINT),
)
# The newer run finds no rows on that day, as the backup before had none: it has nothing to write.
PAUSE = "before put backup/sales/index.json"


def main() -> int:
    """Attack; one line a point, 0 where none did harm."""
    load_modules()
    broken.apply()
    with tempfile.TemporaryDirectory(prefix="orderhe-faults-") as name:
        root = Path(name)
        scene = prepare("again", root / "again", PART)
        attacks = {
            f"{signal.Signals(by).name} {at}": attack(scene, root / f"kill-{number}", by, at)
            for number, (at, by) in enumerate(KILLS)
        }
        attacks[f"SIGSTOP {PAUSE}"] = overtake(scene, root / "pause", PAUSE, holds_lock=False)
        attacks["two runs and a reader at once"] = together(scene, root / "crowd", 2)
    for point, wrong in attacks.items():
        print("BAD" if wrong else "ok", point, *wrong, sep="\n    " if wrong else " ")
    return 1 if any(attacks.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
