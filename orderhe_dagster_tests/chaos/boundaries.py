"""The boundaries of a run on the real systems: its adapters, as they are in production, reach the fuse.

For a process that is forked for one run: what is wired stays wired.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from orderhe_dagster_tests.faults.fuse import FUSE

_WORDS = 60


def wire() -> None:
    """Count every request for data, every object, every session and every statement."""
    from orderhe_dagster.resources.mysql.source import MySQLSource
    from orderhe_dagster.resources.redshift.warehouse import RedshiftSession, RedshiftWarehouse
    from orderhe_dagster.resources.s3.store import S3Store

    for name in ("touches", "measure", "extract"):
        _around(MySQLSource, name, lambda table, *_, name=name, **__: f"{name} {table.name}")
    _around(S3Store, "put", lambda key, *_, **__: f"put {key}")
    _around(S3Store, "get", lambda key: f"get {key}", after=False)
    _around(S3Store, "hashes", lambda keys: f"hashes of {len(keys)}", after=False)
    _around(RedshiftSession, "_run", _statement, after=False)
    upload, session, run = S3Store.upload, RedshiftWarehouse.session, RedshiftSession._run

    def uploaded(store: Any, files: Any) -> None:
        def counted() -> Iterator[Any]:
            for key, file in files:
                FUSE.reach(f"before upload {key}")
                yield key, file

        upload(store, counted())
        FUSE.reach("after upload")

    @contextmanager
    def opened(warehouse: Any, label: str, **named: Any) -> Iterator[Any]:
        FUSE.reach(f"before session {label.split(' run ', maxsplit=1)[0]}")
        with session(warehouse, label, **named) as result:
            yield result

    def ran(self: Any, sql: str, *more: Any) -> Any:
        result = run(self, sql, *more)
        if sql == "commit" or sql.startswith("copy "):
            FUSE.reach(f"after {_statement(sql)}")
        return result

    S3Store.upload = uploaded  # type: ignore[method-assign]
    RedshiftWarehouse.session = opened  # type: ignore[method-assign]
    RedshiftSession._run = ran  # type: ignore[method-assign]


def _statement(sql: str, *_: Any) -> str:
    return " ".join(sql.split())[:_WORDS]


def _around(owner: type[Any], name: str, label: Callable[..., str], after: bool = True) -> None:
    """Have a method reach the fuse before and after what it does."""
    does = getattr(owner, name)

    def fused(self: Any, *arguments: Any, **named: Any) -> Any:
        text = label(*arguments, **named)
        FUSE.reach(f"before {text}")
        result = does(self, *arguments, **named)
        if after:
            FUSE.reach(f"after {text}")
        return result

    setattr(owner, name, fused)
