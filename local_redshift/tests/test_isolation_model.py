"""Snapshot isolation against a model of a dozen lines: random transactions side by side, same answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

import pytest

from local_redshift.database.database import Database
from local_redshift.errors import RedshiftError
from local_redshift.session.engine import Engine, connect

STEPS = 80
KINDS = ("read", "read", "insert", "update", "update", "delete", "end")


@dataclass
class Model:
    """A session: `seen` its rows, `at` the versions that they had when its snapshot was taken."""

    session: Engine
    seen: dict[int, int] | None = None
    at: dict[int, int] = field(default_factory=dict)
    touched: set[int] = field(default_factory=set)


@dataclass
class World:
    """What is committed: rows by id, and how often each was changed."""

    rows: dict[int, int]
    versions: dict[int, int] = field(default_factory=dict)
    next_id: int = 100

    def snapshot(self, model: Model) -> dict[int, int]:
        if model.seen is None:
            model.seen, model.at = dict(self.rows), dict(self.versions)
        return model.seen

    def commit(self, model: Model) -> None:
        for row in model.touched:
            self.versions[row] = self.versions.get(row, 0) + 1
            if model.seen is not None and row in model.seen:
                self.rows[row] = model.seen[row]
            else:
                self.rows.pop(row, None)
        model.seen, model.touched = None, set()


def step(world: World, model: Model, random: Random) -> None:
    """One statement in the session and in the model; a lock that is not free rolls back both."""
    session = model.session
    held = bool(model.touched)  # it has the table: the others wait until it ends
    kind = "end" if held and random.random() < 0.6 else random.choice(KINDS)
    low = random.randint(0, 5)
    ids = range(low, low + random.randint(1, 2))
    if session.state == "idle":
        session.execute("begin")
    if kind == "end":
        if random.random() < 0.8:
            session.execute("commit")
            world.commit(model)
        else:
            session.execute("rollback")
            model.seen, model.touched = None, set()
        return
    where = f"where id between {ids[0]} and {ids[-1]}"
    sql = {
        "read": "select id, n from t order by id",
        "insert": f"insert into t values ({world.next_id}, 0)",
        "update": f"update t set n = n + 1 {where}",
        "delete": f"delete from t {where}",
    }[kind]
    try:
        found = session.execute(sql)
    except RedshiftError as error:
        seen = world.snapshot(model)
        stale = {row for row in ids if row in seen and row not in model.touched}
        clash = any(world.versions.get(row) != model.at.get(row) for row in stale)
        assert error.code == "55P03" or (error.message == "1023" and clash), (sql, str(error))
        session.execute("rollback")
        model.seen, model.touched = None, set()
        return
    seen = world.snapshot(model)
    if kind == "read":
        assert found.rows == sorted(seen.items())
    elif kind == "insert":
        seen[world.next_id] = 0
        model.touched.add(world.next_id)
        world.next_id += 1
    else:
        rows = [row for row in ids if row in seen]
        assert found.row_count == len(rows)
        for row in rows:
            assert row in model.touched or world.versions.get(row) == model.at.get(row), sql
            if kind == "update":
                seen[row] += 1
            else:
                del seen[row]
            model.touched.add(row)


@pytest.mark.parametrize("seed", range(8))
def test_sessions_see_and_change_what_the_model_does(seed: int) -> None:
    random = Random(seed)
    with Database(lock_timeout_s=0.001) as database:
        first = connect(database)
        first.execute("create table t (id integer, n integer)")
        first.execute(f"insert into t values {', '.join(f'({row}, 0)' for row in range(6))}")
        world = World(dict.fromkeys(range(6), 0))
        models = [Model(connect(database)) for _ in range(3)]
        for _ in range(STEPS):
            step(world, random.choice(models), random)
        for model in models:
            model.session.execute("rollback")
        rows = first.execute("select id, n from t order by id").rows
        assert rows == sorted(world.rows.items())
