"""The road on this machine: the state folder, its mode and disk, Dagster's settings, schedules, freshness."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path

from orderhe_dagster.doctor.explain import of_name
from orderhe_dagster.doctor.walk import Check, Found, Road, failed, ok, skipped
from orderhe_dagster.errors import OrderheError
from orderhe_dagster.settings import dagster_yaml
from orderhe_dagster.settings.home import Home, advice

_LEAST_FREE = 1_000_000_000
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_LATE = timedelta(days=2)
_SECRETS = ("PASSWORD",)


@dataclass(frozen=True)
class History:
    """What Dagster's own history says: schedules with whether they are on, and when assets were last made.

    `error`: why it could not be asked.
    """

    schedules: Mapping[str, bool] = field(default_factory=dict)
    made: Mapping[str, datetime | None] = field(default_factory=dict)
    error: str = ""


def home_road(
    home: Home, env: Path, history: Callable[[], History], *, runs_by_itself: bool = True
) -> Road:
    """The checks of this machine, in their order. `env`: the .env file that is read, if there is one.

    `runs_by_itself`: somebody relies on it every day, as on no simulated shop.
    """

    def daily(look: Callable[[Home, Callable[[], History]], Found]) -> Callable[[], Found]:
        if runs_by_itself:
            return lambda: look(home, history)
        return lambda: skipped("a simulated shop runs when it is asked to")

    return Road(
        "this machine",
        [
            Check("state folder", lambda: _folder(home)),
            Check("its mode", lambda: _mode(home.folder, "home-open-to-others", 0o700), needs=()),
            Check(".env", lambda: _env(env), needs=()),
            Check("disk", lambda: _disk(home), needs=()),
            Check("dagster.yaml", lambda: _dagster_yaml(home), needs=("state folder",)),
            Check("schedules", daily(_schedules), needs=("state folder",)),
            Check("freshness", daily(_freshness), needs=("state folder",)),
        ],
    )


def _folder(home: Home) -> Found:
    facts = {"path": str(home.folder), "home": str(home.folder)}
    at = home.folder
    while not at.exists():
        at = at.parent
    try:
        with tempfile.TemporaryFile(dir=at):
            pass
    except OSError as error:
        text = f"{at} cannot be written: {error.strerror}"
        return failed(text, of_name("home-not-writable", facts | {"path": str(at)}), stops=True)
    return ok(str(home.folder) + ("" if at == home.folder else " (made by the first command)"))


def _mode(path: Path, name: str, wanted: int) -> Found:
    if os.name != "posix" or not path.exists():
        return skipped(f"{path} is not there yet" if os.name == "posix" else "no modes here")
    mode = stat.S_IMODE(path.stat().st_mode)
    if not mode & _OTHERS:
        return ok(f"{mode:o}: its owner's alone")
    facts = {"path": str(path), "mode": f"{mode:o}"}

    def mend() -> None:
        path.chmod(mode & wanted)

    verb = "enter" if path.is_dir() else "read"
    found = failed(f"others may {verb} {path} ({mode:o})", of_name(name, facts))
    return Found(
        "failed", found.text, found.explanations, mends=mend, will=f"chmod {mode & wanted:o} {path}"
    )


def _env(env: Path) -> Found:
    if not env.is_file():
        return skipped("there is none: settings are variables, or defaults")
    try:
        text = env.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        return Found("failed", f"{env} cannot be read: {error}")
    if not any(name in line.partition("=")[0] for line in text.splitlines() for name in _SECRETS):
        return ok(f"{env.name} holds no password")
    return _mode(env, "env-open-to-others", 0o600)


def _disk(home: Home) -> Found:
    at = home.folder
    while not at.exists():
        at = at.parent
    free = shutil.disk_usage(at).free
    shown = f"{free / 1e9:,.1f} GB" if free >= 1e9 else f"{free // 10**6} MB"
    if free < _LEAST_FREE:
        facts = {"path": str(home.folder), "free": shown}
        return failed(f"{shown} are free", of_name("disk-nearly-full", facts))
    return ok(f"{shown} free")


def _dagster_yaml(home: Home) -> Found:
    if not home.instance.exists():
        return skipped("it is written by the first command")
    try:
        dagster_yaml.check(home.instance, home.instance.read_text("utf-8"))
        notes = advice(home)
    except (OrderheError, OSError, UnicodeDecodeError) as error:
        facts = {"path": str(home.instance), "problem": str(error).split("\n", 1)[0]}
        aside = home.instance.with_name("dagster.yaml.mine")
        return Found(
            "failed",
            f"dagster.yaml: {facts['problem']}",
            (of_name("dagster-yaml", facts),),
            mends=lambda: _put_aside(home.instance, aside),
            will=f"mv {home.instance} {aside} (the next command writes a new one)",
        )
    return ok("; ".join(["as runs need it", *notes]))


def _put_aside(path: Path, aside: Path) -> None:
    """Move a file away, over nothing."""
    if aside.exists():
        raise FileExistsError(17, f"{aside} is there already")
    path.rename(aside)


def _schedules(home: Home, history: Callable[[], History]) -> Found:
    if not home.instance.exists():
        return skipped("nothing has run yet")
    known = history()
    if known.error:
        return Found("unknown", known.error)
    on = [name for name, is_on in known.schedules.items() if is_on]
    if not on:
        names = ", ".join(known.schedules) or "none"
        return failed(f"off: {names}", of_name("schedules-off", {"schedule": names}))
    return ok(f"on: {', '.join(on)}")


def _freshness(home: Home, history: Callable[[], History]) -> Found:
    if not home.instance.exists():
        return skipped("nothing has run yet")
    known = history()
    if known.error:
        return Found("unknown", known.error)
    never = [asset for asset, moment in known.made.items() if moment is None]
    if never:
        return skipped(f"never materialized: {_named(never)}: orderhe run '*'")
    now = datetime.now(timezone.utc)
    old = {asset: now - at for asset, at in known.made.items() if at and now - at > _LATE}
    if old:
        asset, age = max(old.items(), key=lambda item: item[1])
        facts = {"asset": asset, "age": f"{age.days} days"}
        return failed(
            f"{asset} was last materialized {age.days} days ago", of_name("not-fresh", facts)
        )
    return ok("every backup was made within two days" if known.made else "there is nothing to be")


def _named(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (" …" if len(names) > 3 else "")
