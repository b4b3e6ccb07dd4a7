"""The signatures of this machine: settings, the home, Dagster on it. Modes are mended by `--fix`."""

from __future__ import annotations

from orderhe_dagster.doctor.signature import Example, Facts, Signature

_FACTS: Facts = {"home": ".orderhe", "path": ".orderhe", "file": ".env", "user": "me"}
_SEEN = "seen: this product"

SIGNATURES = (
    Signature(
        name="settings-wrong",
        system="home",
        title="Settings are wrong or missing",
        cause="{problem}",
        how="variables were read, then the lines of .env; an empty value is a missing one",
        kind="env",
        command="{lines}",
        console=".env.example has every setting with what it means; uncommented as it stands, it leaves the "
        "needed ones empty",
        pattern=r"settings? (is|are) wrong",
        examples=(
            Example(
                "a setting is wrong: ORDERHE_MYSQL_HOST is empty",
                _SEEN,
                "",
                {
                    **_FACTS,
                    "problem": "ORDERHE_MYSQL_HOST is empty",
                    "lines": "ORDERHE_MYSQL_HOST=<a value>",
                },
            ),
        ),
    ),
    Signature(
        name="home-open-to-others",
        system="home",
        title="Others on this machine may read the state folder",
        cause="{path} holds backups and personal data, and its mode {mode} lets other users in",
        how="the folder's mode was read",
        command="chmod 700 {path}",
        console="`orderhe doctor --fix` does it",
        pattern=r"others may enter",
        examples=(
            Example("others may enter .orderhe (755)", _SEEN, "", {**_FACTS, "mode": "755"}),
        ),
    ),
    Signature(
        name="env-open-to-others",
        system="home",
        title="Others on this machine may read the passwords in .env",
        cause="{path} holds a password, and its mode {mode} lets other users read it",
        how="the file's mode was read",
        command="chmod 600 {path}",
        console="`orderhe doctor --fix` does it",
        pattern=r"others may read",
        examples=(
            Example(
                "others may read .env (644)", _SEEN, "", {**_FACTS, "path": ".env", "mode": "644"}
            ),
        ),
    ),
    Signature(
        name="home-not-writable",
        system="home",
        title="The state folder cannot be written",
        cause="{path} is another user's, or on a disk that is mounted read-only",
        how="writing a file there was refused",
        command="export ORDERHE_HOME=<a folder of yours>",
        console="or give it to this user: sudo chown -R $(id -un) {path}",
        pattern=r"cannot be written",
        examples=(Example(".orderhe cannot be written: Permission denied", _SEEN, "", _FACTS),),
    ),
    Signature(
        name="disk-nearly-full",
        system="home",
        title="The disk of the state folder is nearly full",
        cause="{free} are free where {path} lies: an extract, or a sort that memory does not hold, "
        "may need more",
        how="the disk was asked",
        command="orderhe janitor",
        console="or set ORDERHE_HOME to a larger disk, and move the folder there",
        pattern=r"are free|No space left",
        examples=(
            Example(
                "120 MB are free on the disk of .orderhe", _SEEN, "", {**_FACTS, "free": "120 MB"}
            ),
            Example(
                "No space left on device: .orderhe/dagster",
                "Linux, ENOSPC",
                "",
                {**_FACTS, "free": "0 MB"},
            ),
        ),
    ),
    Signature(
        name="dagster-yaml",
        system="home",
        title="Dagster's settings lack what the runs need",
        cause="{problem}",
        how="dagster.yaml of the home was read",
        command="mv {path} {path}.mine",
        console="a new one is written by the next command; or put in what is named",
        pattern=r"dagster\.yaml",
        examples=(
            Example(
                "dagster.yaml: python_logs.managed_python_loggers does not name orderhe",
                _SEEN,
                "",
                {
                    **_FACTS,
                    "path": ".orderhe/dagster/dagster.yaml",
                    "problem": "python_logs does not name orderhe",
                },
            ),
        ),
    ),
    Signature(
        name="schedules-off",
        system="home",
        title="No schedule is on, so nothing runs by itself",
        cause="the schedule {schedule} is stopped; a shop is fresh as long as somebody runs it",
        how="Dagster's own history was asked",
        command="orderhe dev",
        console="in the UI: Automation > {schedule} > switch it on. It needs `orderhe dev` (or "
        "Dagster's daemon) to stay up",
        pattern=r"schedules? .*off|is stopped",
        examples=(
            Example(
                "schedule daily_schedule is off",
                _SEEN,
                "",
                {**_FACTS, "schedule": "daily_schedule"},
            ),
        ),
    ),
    Signature(
        name="not-fresh",
        system="home",
        title="The last run is long ago",
        cause="{asset} was last materialized {age} ago",
        how="Dagster's own history was asked",
        command="orderhe run '*'",
        pattern=r"last materialized|never materialized|was never run",
        examples=(
            Example(
                "backup/orders was last materialized 3 days ago",
                _SEEN,
                "",
                {**_FACTS, "asset": "backup/orders", "age": "3 days"},
            ),
        ),
    ),
    Signature(
        name="copy-other-store",
        system="home",
        title="Redshift reads another store than the one that backups are written to",
        cause="an object that was written a moment ago is not there for Redshift: the local one "
        "was started with another "
        "store, folder, bucket or prefix than this machine's settings name",
        how="the doctor wrote it itself, into {store}",
        command="orderhe warehouse serve",
        console="start it with the same ORDERHE_STORE, ORDERHE_S3_* and ORDERHE_HOME as its "
        "clients; it prints which "
        "store it reaches",
        pattern=r"just written",
        examples=(
            Example(
                "just written, and not there for Redshift: s3://shop-backup/backup/_doctor/1/probe.parquet",
                "seen: the local Redshift",
                "",
                {**_FACTS, "store": "s3://shop-backup"},
            ),
        ),
    ),
    Signature(
        name="no-index",
        system="home",
        title="A table has no index that finds its days",
        cause="every run asks for the fingerprint of each day of {table}: without an index on "
        "({columns}) MySQL reads all of it",
        how="the table's indexes were read",
        kind="sql",
        command="create index `{index}` on `{table}` ({columns_sql});",
        console="the pipeline's own user need not have that right: an administrator may make it",
        pattern=r"no index on",
        examples=(
            Example(
                "no index on orders (order_date, updated_at)",
                "seen: MariaDB 10.11",
                "",
                {
                    **_FACTS,
                    "table": "orders",
                    "columns": "order_date, updated_at",
                    "index": "orders_order_date_updated_at",
                    "columns_sql": "`order_date`, `updated_at`",
                },
            ),
        ),
    ),
    Signature(
        name="clock-differs",
        system="home",
        title="The MySQL's clock and this machine's differ",
        cause="they are {seconds} s apart: which day a row belongs to, and what is late, is judged by them",
        how="both were asked at the same moment",
        command="sudo timedatectl set-ntp true",
        pattern=r"clocks differ",
        examples=(Example("clocks differ by 400 s", _SEEN, "", {**_FACTS, "seconds": "400"}),),
    ),
)
