"""What SQLite sees of damage to Dagster's history is named with a command; what is sound is not."""

from __future__ import annotations

import os
import shlex
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from orderhe_dagster.settings.history_files import damaged


def made(file: Path) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("create table events (body text)")
        connection.executemany("insert into events values (?)", [("x" * 500,)] * 200)
        connection.commit()
    return file


def test_a_damaged_file_is_named_with_the_command_that_moves_it_away(tmp_path: Path) -> None:
    home = tmp_path / "a home" / "dagster"
    made(home / "history" / "runs" / "index.db")
    cut = made(home / "schedules" / "schedules.db")
    assert [*damaged(home)] == []
    os.truncate(cut, cut.stat().st_size // 2)
    (found,) = damaged(home)
    assert (found.file, found.folder) == (cut, home / "schedules")
    assert f"{cut}: " in found.sentence() and found.command in found.sentence()
    _, old, new = shlex.split(found.command)
    shutil.move(old, new)
    assert [*damaged(home)] == []


def test_what_is_no_database_is_named(tmp_path: Path) -> None:
    file = tmp_path / "history" / "runs.db"
    file.parent.mkdir()
    file.write_bytes(b"no database" * 1000)
    (found,) = damaged(tmp_path)
    assert found.problem == "file is not a database"
