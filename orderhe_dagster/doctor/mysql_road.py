"""The road to the shop's MySQL: name, port, TLS, login, rights, session, indexes, the way as AWS has it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

from orderhe_dagster.catalog.ddl import quoted, quoted_names
from orderhe_dagster.catalog.table import Table
from orderhe_dagster.doctor.explain import explain, explain_symptom, of_name
from orderhe_dagster.doctor.network import Place, checks, not_known, of_aws, ways_in
from orderhe_dagster.doctor.probe import Probe
from orderhe_dagster.doctor.signature import Explanation, Facts
from orderhe_dagster.doctor.walk import Check, Found, Road, failed, failure, ok, skipped
from orderhe_dagster.errors import counted
from orderhe_dagster.ports.cloud import Cloud, Instance
from orderhe_dagster.ports.errors import PortError
from orderhe_dagster.ports.source import Look, Source
from orderhe_dagster.settings.config import MySQLSettings

NAME = "MySQL"
_OF_TLS = {
    *(
        "mysql-name-differs",
        "mysql-certificate-out-of-date",
        "mysql-ca-missing",
        "mysql-without-tls",
    ),
    *("mysql-tls-failed", "mysql-silent", "mysql-another-service", "mysql-is-a-redshift"),
    "mysql-hung-up",
}
"""What comes before a user's name is said."""
_OF_WAITING = ("mysql-silent", "mysql-is-a-redshift", "mysql-hung-up")
"""Of these, who listens is asked: a Redshift waits for its client to begin, as what stands still does."""
_IN_PLACE_OF_A_GREETING = {
    *("mysql-too-many-connections", "mysql-host-blocked", "mysql-host-not-allowed"),
}
"""What a server says at once, before TLS is asked for."""
_STRICT = ("STRICT_TRANS_TABLES", "NO_ZERO_DATE")
_RUNNING = ("available", "backing-up", "modifying", "configuring-iam-database-auth")
_APART_S = 300
_WHO_S = 1.0
_MANY_ROWS = 1_000_000


def mysql_road(
    settings: MySQLSettings, source: Source, tables: Sequence[Table], cloud: Cloud, probe: Probe
) -> Road:
    """The checks of a MySQL, in their order."""
    facts = {
        "host": settings.host,
        "port": str(settings.port),
        "user": settings.user,
        "database": settings.database,
        "sslmode": settings.sslmode,
    }
    place = Place("mysql", facts, settings.connect_timeout, probe)
    session = _Session(source, tables)

    def seen(judge: Callable[[Look], Found]) -> Callable[[], Found]:
        return lambda: judge(session.look())

    return Road(
        NAME,
        [
            *checks(place),
            Check("TLS", lambda: _tls(session, settings, place)),
            Check("login", lambda: _login(session, settings)),
            Check("privileges", seen(lambda look: _privileges(look, tables))),
            Check("time zone", seen(_zone)),
            Check("sql_mode", seen(_modes)),
            Check("charset", seen(_charset)),
            Check("cursor's index", seen(lambda look: _indexes(look, tables))),
            Check("way in (AWS)", lambda: _way_in(place, cloud), needs=()),
        ],
    )


def local_source_road(source: Source, file: Path, tables: Sequence[Table]) -> Road:
    """The checks of a source that is a file of this machine."""

    def opens() -> Found:
        if not file.exists():
            return skipped("there is no shop yet: `orderhe create` makes it")
        for table in tables:
            source.drift(table)
        return ok(f"{source.identity}: {counted(len(tables), 'table')}")

    return Road("source", [Check("opens", opens)])


class _Session:
    """One login for all checks, or the error that it ended with."""

    def __init__(self, source: Source, tables: Sequence[Table]) -> None:
        self._source, self._tables = source, tables
        self._look: Look | None = None
        self._error: PortError | None = None

    def look(self) -> Look:
        """What the session found. PortError."""
        if self._look is None and self._error is None:
            try:
                self._look = self._source.look(self._tables)
            except PortError as error:
                self._error = error
        if self._error is not None:
            raise self._error
        assert self._look is not None
        return self._look

    def why_not(self) -> Explanation | None:
        """Why there is no session; None where there is one."""
        try:
            self.look()
        except PortError as error:
            return explain(error)
        return None


def _tls(session: _Session, settings: MySQLSettings, place: Place) -> Found:
    why = session.why_not()
    if why is not None and why.name in _OF_TLS:
        return _before_login(session, why, place)
    if why is not None and why.name in _IN_PLACE_OF_A_GREETING:
        return skipped("the server refused before TLS could begin")
    if settings.sslmode == "disable":
        return ok("not asked for (ORDERHE_MYSQL_SSLMODE): what is sent can be read on the way")
    cipher = session.look().tls if why is None else ""
    return ok(f"verified ({settings.sslmode}){f', {cipher}' if cipher else ''}")


def _before_login(session: _Session, why: Explanation, place: Place) -> Found:
    """The failure that the session ended with; of who is silent, it is found out whether it is a Redshift."""
    try:
        session.look()
    except PortError as error:
        found = failure(error)
        if why.name not in _OF_WAITING or error.symptom is None:
            return found
        who = place.probe.identify(place.host, place.port, _WHO_S)
        known = explain_symptom(error.symptom, {"greets": who or "nobody"})
        return replace(found, explanations=(known,)) if known else found
    return ok("there is a session")


def _login(session: _Session, settings: MySQLSettings) -> Found:
    look = session.look()
    return ok(f"{settings.user} at {look.version}, database {settings.database}")


def _privileges(look: Look, tables: Sequence[Table]) -> Found:
    if not look.refused:
        return ok(f"{counted(len(tables), 'table')} can be read")
    why: dict[str, Explanation] = {}
    for error in look.refused.values():
        explanation = explain(error)
        if explanation is not None:
            why.setdefault(explanation.name, explanation)
    names = ", ".join(sorted(look.refused))
    return failed(f"cannot be read: {names}", *why.values())


def _zone(look: Look) -> Found:
    apart = abs((datetime.now(timezone.utc).replace(tzinfo=None) - look.clock).total_seconds())
    if apart > _APART_S:
        text = f"clocks differ by {apart:.0f} s"
        return failed(text, of_name("clock-differs", {"seconds": f"{apart:.0f}"}))
    if look.zone != "+00:00":
        return Found("failed", f"the session is in {look.zone}, not in UTC: a proxy alters it")
    own = (
        f" (the server's own is {look.own_zone})" if look.own_zone not in ("+00:00", "UTC") else ""
    )
    return ok(f"sessions are in UTC{own}; clocks agree")


def _modes(look: Look) -> Found:
    missing = [mode for mode in _STRICT if mode not in look.modes.split(",")]
    if missing:
        return Found("failed", f"the session lacks {', '.join(missing)}: a proxy alters it")
    return ok("strict")


def _charset(look: Look) -> Found:
    if look.charset != "utf8mb4":
        return Found("failed", f"the session speaks {look.charset}, not utf8mb4: a proxy alters it")
    return ok("utf8mb4")


def _wanted(table: Table) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The indexes, by table and columns, that find a table's days; of a child, its rows by their parents."""
    if table.partition is None:
        return
    if not table.day_through:
        columns = dict.fromkeys(
            filter(None, map(table.source_column, (table.partition, table.cursor)))
        )
        yield table.source_name, tuple(columns)
        return
    here = table
    for step in table.day_through:
        yield here.source_name, (here.source_column(step.column),)
        here = step.parent


def _indexes(look: Look, tables: Sequence[Table]) -> Found:
    """Of large tables, whether an index finds the days and their fingerprints."""
    why = []
    for name, columns in dict.fromkeys(pair for table in tables for pair in _wanted(table)):
        if look.rows.get(name, 0) < _MANY_ROWS:
            continue
        if any(index[: len(columns)] == columns for index in look.indexes.get(name, ())):
            continue
        facts = {
            "table": name,
            "columns": ", ".join(columns),
            "columns_sql": quoted_names(columns, "mysql"),
            "index": quoted(f"{name}_{'_'.join(columns)}"[:64], "mysql").strip("`"),
        }
        why.append(of_name("no-index", facts))
    if why:
        return failed("; ".join(one.cause for one in why), *why)
    return ok("tables are small, or have one that finds their days")


def _way_in(place: Place, cloud: Cloud) -> Found:
    def look(region: str) -> Found:
        found = cloud.instance(place.host, region)
        if found is None:
            return not_known(place, place.host, region)
        facts = {**place.known, "instance": found.name, "status": found.status}
        why = [] if place.is_open else _closed(found, place, facts)
        if found.groups:
            facts["security_group"] = found.groups[0]
        reasons, unsure = ways_in(place, cloud, found.groups, found.subnets, facts)
        why += reasons
        if why:
            return failed("; ".join(one.title for one in why), *why)
        if unsure:
            return Found("unknown", unsure)
        public = "public" if found.is_public else "not public"
        return ok(f"{found.name} is {found.status}, {public}, and lets this machine in")

    if ".cluster-" in place.host:
        return skipped("of an Aurora cluster, AWS is not asked")
    return of_aws(place, look, ("rds",))


def _closed(found: Instance, place: Place, facts: Facts) -> list[Explanation]:
    """What of the instance itself keeps this machine out."""
    why: list[Explanation] = []
    if found.status not in _RUNNING:
        why.append(of_name("instance-not-running", facts))
    if found.port and found.port != place.port:
        why.append(of_name("instance-other-port", {**facts, "real_port": str(found.port)}))
    if not found.is_public:
        why.append(of_name("instance-not-public", facts))
    return why
