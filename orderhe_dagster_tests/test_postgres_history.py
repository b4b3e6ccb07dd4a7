"""Dagster's history in a real Postgres, by the settings of production: the answers of the stock storage."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml
from sqlalchemy.engine import make_url

from orderhe_dagster.assets.janitor import Prunable
from orderhe_dagster.history.postgres import PostgresHistory, PrunableEventLog
from orderhe_dagster.settings import dagster_yaml
from orderhe_dagster.settings.history_database import HistoryAddressError, history_url
from orderhe_dagster_tests.deploy import recipes
from orderhe_dagster_tests.servers.postgres import PASSWORD, Postgres
from orderhe_dagster_tests.test_history import KEYS, PLANNED, answers, materialize_all

ROOT = Path(__file__).resolve().parents[1]
OURS = ROOT / "deploy/dagster.yaml"
LOGS = {"COMPUTE_LOGS_BUCKET": "shop-backup", "COMPUTE_LOGS_PREFIX": "compute-logs"}
PLACE = {"PGHOST": "db.example", "PGUSER": "da gster", "PGDATABASE": "his/tory"}


@contextmanager
def instance_at(
    folder: Path, variables: Mapping[str, str], storage: Mapping[str, Any] | None = None
) -> Iterator[dg.DagsterInstance]:
    """A home with the settings of production, or with another storage in them."""
    settings = yaml.safe_load(OURS.read_text("utf-8"))
    (folder / "dagster.yaml").write_text(
        yaml.safe_dump({**settings, "storage": storage or settings["storage"]}), "utf-8"
    )
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        with dg.DagsterInstance.from_config(str(folder)) as instance:
            yield instance


def test_every_answer_is_the_stock_storages(postgres: Postgres, tmp_path: Path) -> None:
    told = {}
    stock: dict[str, Any] = {"postgres": {"postgres_url": {"env": "STOCK_URL"}}}
    variables = postgres.database()
    variables["STOCK_URL"] = history_url(variables)
    with instance_at(tmp_path, variables, stock) as instance:
        told["stock"] = answers(instance, materialize_all(instance))
    variables = postgres.database()
    variables["STOCK_URL"] = history_url(variables)
    with instance_at(tmp_path, variables) as instance:
        assert type(instance.event_log_storage) is PrunableEventLog
        runs = materialize_all(instance)
        told["ours"] = answers(instance, runs)
    with instance_at(tmp_path, variables, stock) as instance:
        told["stock on ours"] = answers(instance, runs)
    assert len(told["stock"]["materialized good"]) == 10
    for other in ("ours", "stock on ours"):
        assert told[other].keys() == told["stock"].keys()
        for question, answer in told["stock"].items():
            assert told[other][question] == answer, (other, question)


def test_the_tables_are_migrated_as_dagsters_own_are(postgres: Postgres, tmp_path: Path) -> None:
    """`dagster instance migrate`, after an upgrade."""
    variables = postgres.database()
    with instance_at(tmp_path, variables) as instance:
        instance.upgrade()
        assert instance.get_runs() == []
    tables = "select count(*) from information_schema.tables where table_schema = 'public'"
    assert int(postgres.ask(tables, variables["PGDATABASE"])[0]) > 20


def test_a_run_says_by_a_lock_that_its_process_lives(postgres: Postgres, tmp_path: Path) -> None:
    from orderhe_dagster.runs import LIFE_TAG, lives

    with instance_at(tmp_path, postgres.database()) as instance:
        run_id = materialize_all(instance)[0]
        run = instance.get_run_by_id(run_id)
        assert run is not None
        assert LIFE_TAG in run.tags
        # This process has begun other runs since.
        assert lives(run, tmp_path) is False


def test_what_is_pruned_tells_the_same_state(postgres: Postgres, tmp_path: Path) -> None:
    with instance_at(tmp_path, postgres.database()) as instance:
        log = instance.event_log_storage
        assert isinstance(log, PrunableEventLog)
        assert isinstance(log, Prunable)
        first, again = materialize_all(instance), materialize_all(instance)
        newest = sorted([*first, *again])

        def state() -> dict[str, Any]:
            told = answers(instance, [*first, *again])
            kept = ("keys", "materialized ", "latest ", "newest ASSET_MATERIALIZATION ")
            state = {name: answer for name, answer in told.items() if name.startswith(kept)}
            for check in ("passes", "fails"):
                state[check] = told[f"check {check}"][0]
            planned = log.get_latest_storage_id_by_partition(KEYS[1], PLANNED)
            return {**state, "failed days": sorted(planned.items())}

        before = state()
        assert sorted(log.logged([*first, *again, "none"])) == newest
        assert log.prune(first) == set()
        assert sorted(log.logged([*first, *again])) == sorted(again)
        assert state() == before
        assert log.get_records_for_run(first[0]).records == []
        assert log.prune(again) == {*again[1:]}
        assert log.logged([*first, *again]) == []
        assert state() == before
        assert len(instance.fetch_materializations(KEYS[0], limit=100).records) == 10
        log.compact()
        assert len(materialize_all(instance)) == 3


def test_the_address_is_read_from_what_postgres_own_programs_read(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text(f"{PASSWORD}\n", "utf-8")
    url = make_url(history_url({**PLACE, "PGPASSWORD_FILE": str(secret)}))
    assert (url.host, url.port, url.username, url.password, url.database) == (
        *("db.example", 5432),
        *(PLACE["PGUSER"], PASSWORD, PLACE["PGDATABASE"]),
    )
    url = make_url(history_url({**PLACE, "PGHOST": "/run/postgresql", "PGPORT": "5433"}))
    assert (url.host, url.query) == (None, {"host": "/run/postgresql", "port": "5433"})
    assert url.password is None


def test_what_is_missing_is_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(HistoryAddressError) as caught:
        history_url({"PGHOST": "db.example", "PGPASSWORD_FILE": str(tmp_path / "none")})
    told = str(caught.value)
    for name in ("PGUSER is not set", "PGDATABASE is not set", "none: No such file"):
        assert name in told


def test_the_password_is_in_no_setting_that_dagster_hands_on(
    postgres: Postgres, tmp_path: Path
) -> None:
    with instance_at(tmp_path, postgres.database()) as instance:
        assert isinstance(instance.event_log_storage, PrunableEventLog)
        handed = str(instance.get_ref().to_dict())
    assert PostgresHistory.__name__ in handed
    assert PASSWORD not in handed


def test_the_settings_of_production_have_what_ours_needs(tmp_path: Path) -> None:
    text = OURS.read_text("utf-8")
    dagster_yaml.check(OURS, text)
    assert dagster_yaml.advice(OURS, text) == []


def test_the_compute_logs_in_s3_are_a_section_to_uncomment(
    postgres: Postgres, tmp_path: Path
) -> None:
    text = OURS.read_text("utf-8")
    (tmp_path / "dagster.yaml").write_text(recipes.with_section(text, "compute_logs"), "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**postgres.database(), **LOGS}.items():
            patch.setenv(name, value)
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
            assert type(instance.compute_log_manager).__name__ == "S3ComputeLogManager"
