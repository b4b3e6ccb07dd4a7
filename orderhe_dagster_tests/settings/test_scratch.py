"""Scratch folders: private while their owner lives, gone when it does not, however it ended."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from orderhe_dagster.settings.scratch import scratch_folder

OWNER = """
import sys
from pathlib import Path
from orderhe_dagster.settings.scratch import scratch_folder
with scratch_folder(Path(sys.argv[1]), "doomed") as folder:
    (folder / "part").write_text("rows")
    print(folder, flush=True)
    sys.stdin.read()
"""


def folders(root: Path) -> list[str]:
    return sorted(path.name for path in root.iterdir() if path.is_dir())


def test_each_block_has_a_folder_of_its_own_and_leaves_none(tmp_path: Path) -> None:
    root = tmp_path / "not" / "there"
    with scratch_folder(root, "one") as one, scratch_folder(root, "two") as two:
        assert one != two
        (one / "deep").mkdir()
        (one / "deep" / "file").write_text("x")
        assert folders(root) == sorted([one.name, two.name])
    assert folders(root) == []


def test_a_block_that_fails_leaves_no_folder(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), scratch_folder(tmp_path, "one"):
        raise ZeroDivisionError
    assert folders(tmp_path) == []


def test_the_folder_of_a_living_process_stays_and_that_of_a_killed_one_goes(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", OWNER, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as owner:
        assert owner.stdout is not None
        theirs = Path(owner.stdout.readline().strip())
        with scratch_folder(tmp_path, "beside"):
            assert (theirs / "part").read_text() == "rows"
        owner.kill()
        owner.wait()
        assert (theirs / "part").is_file()
        with scratch_folder(tmp_path, "after") as mine:
            assert folders(tmp_path) == [mine.name]
