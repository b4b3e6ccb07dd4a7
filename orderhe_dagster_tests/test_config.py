"""Settings: what is read, what wins, and that every mistake is named at once."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from orderhe_dagster.config import (
    OWN_SQL,
    VARIABLES,
    MySQLSettings,
    RedshiftSettings,
    Settings,
    SettingsError,
    load_settings,
)


def problems(environ: dict[str, str], cwd: Path) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        load_settings(environ, cwd)
    return caught.value.problems


def test_defaults_when_nothing_is_set(tmp_path: Path) -> None:
    assert load_settings({}, tmp_path) == Settings(
        home=tmp_path / ".orderhe",
        sql=OWN_SQL,
        shop="simulated",
        profile="local",
        source="embedded",
        store="folder",
        warehouse="embedded",
        start_date=None,
        time_zone="Asia/Seoul",
        seed=1,
        s3_bucket="orderhe",
        s3_prefix="",
    )


def test_the_process_environment_is_read_when_none_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORDERHE_SEED", "7")
    assert load_settings(cwd=tmp_path).seed == 7


def test_values_are_read_when_given(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    settings = load_settings(
        {
            "ORDERHE_HOME": "state",
            "ORDERHE_SQL": "other",
            "ORDERHE_START_DATE": "2025-01-31",
            "ORDERHE_TIME_ZONE": "Europe/London",
            "ORDERHE_SEED": " 12 ",
            "ORDERHE_S3_PREFIX": "/shops/demo/",
            "HOME": "is nobody's business here",
        },
        tmp_path,
    )
    assert settings.home == tmp_path / "state"
    assert settings.sql == tmp_path / "other"
    assert settings.start_date == date(2025, 1, 31)
    assert settings.time_zone == "Europe/London"
    assert settings.seed == 12
    assert settings.s3_prefix == "shops/demo"


def test_another_shops_folder_is_external_unless_said(tmp_path: Path) -> None:
    assert load_settings({"ORDERHE_SQL": "."}, tmp_path).shop == "external"
    assert load_settings({"ORDERHE_SQL": str(OWN_SQL)}, tmp_path).shop == "simulated"
    said = {"ORDERHE_SQL": ".", "ORDERHE_SHOP": "simulated"}
    assert load_settings(said, tmp_path).shop == "simulated"


def test_dotenv_is_read_and_the_environment_wins(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(
        "# a comment\nexport ORDERHE_SEED=3\nORDERHE_S3_BUCKET='my-shop'\nAWS_PROFILE=x\n"
        'ORDERHE_S3_PREFIX="p$a#${HOME} ss"\nORDERHE_TIME_ZONE=\n',
        "utf-8",
    )
    settings = load_settings({"ORDERHE_SEED": "4"}, tmp_path)
    assert settings.seed == 4
    assert settings.s3_bucket == "my-shop"
    assert settings.s3_prefix == "p$a#${HOME} ss"
    assert settings.time_zone == "Asia/Seoul"
    assert load_settings({"ORDERHE_S3_BUCKET": ""}, tmp_path).s3_bucket == "orderhe"


def test_dotenv_errors_name_the_line(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("ORDERHE_SEED=1\n'broken\nORDERHE_HOME\n", "utf-8")
    found = problems({}, tmp_path)
    assert any(".env, line 2 is not NAME=value" in problem for problem in found)
    assert any("ORDERHE_HOME has no =" in problem and "line 3" in problem for problem in found)


def test_dotenv_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"ORDERHE_SEED=\xff")
    (problem,) = problems({}, tmp_path)
    assert ".env is not UTF-8 text: byte 14" in problem


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    bad = {
        "ORDERHE_SEDE": "1",
        "ORDERHE_SEED": "-1",
        "ORDERHE_TIME_ZONE": "Asia/Soul",
        "ORDERHE_START_DATE": "20250131",
        "ORDERHE_SQL": "nowhere",
        "ORDERHE_S3_BUCKET": "No Such Bucket",
        "ORDERHE_S3_PREFIX": "a/../b",
        "ORDERHE_SHOP": "simulate",
        "ORDERHE_REDSHIFT_PORT": "70000",
        "ORDERHE_S3_ENDPOINT_URL": "localhost:9000",
    }
    found = problems(bad, tmp_path)
    assert len(found) == len(bad)
    for name in bad:
        assert any(problem.startswith(name) for problem in found), name
    text = str(SettingsError(found))
    assert "10 settings are wrong" in text
    assert "did you mean ORDERHE_SEED?" in text
    assert "did you mean simulated?" in text
    assert "Asia/Seoul" in text
    assert str(tmp_path / "nowhere") in text


@pytest.mark.parametrize(
    ("name", "value", "use"),
    [
        ("ORDERHE_PROFILE", "aws", "local"),
        ("ORDERHE_SOURCE", "mysql", "embedded"),
        ("ORDERHE_STORE", "s3", "folder"),
        ("ORDERHE_WAREHOUSE", "redshift", "embedded"),
        ("ORDERHE_WAREHOUSE", "data_api", "embedded"),
    ],
)
def test_what_only_later_versions_do_is_refused(
    name: str, value: str, use: str, tmp_path: Path
) -> None:
    (problem,) = problems({name: value}, tmp_path)
    assert problem == f"{name}: this version runs on the laptop only: use {use}, not {value}"


@pytest.mark.parametrize(
    ("name", "value", "server"),
    [
        ("ORDERHE_MYSQL_HOST", "db.shop.example", "MySQL"),
        ("ORDERHE_MYSQL_PORT", "3307", "MySQL"),
        ("ORDERHE_REDSHIFT_IAM_ROLE", "arn:aws:iam::1:role/copy", "Redshift"),
        ("ORDERHE_REDSHIFT_SSLMODE", "disable", "Redshift"),
        ("ORDERHE_S3_ENDPOINT_URL", "http://127.0.0.1:9000", "S3"),
    ],
)
def test_a_server_that_would_not_be_reached_is_not_passed_over(
    name: str, value: str, server: str, tmp_path: Path
) -> None:
    (problem,) = problems({name: value}, tmp_path)
    assert problem.startswith(f"{name}: ")
    assert f"reaches no {server}:" in problem


def test_a_file_in_the_place_of_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    found = problems({"ORDERHE_HOME": "file", "ORDERHE_SQL": "file"}, tmp_path)
    assert all("is a file, not a folder" in problem for problem in found)
    assert len(found) == 2


def test_no_password_is_shown(tmp_path: Path) -> None:
    assert "needle" not in repr(MySQLSettings(password="needle"))
    assert "needle" not in repr(RedshiftSettings(password="needle"))
    secret = {"ORDERHE_MYSQL_PASSWORD": "needle", "ORDERHE_REDSHIFT_PASSWORD": "needle"}
    found = problems(secret | {"ORDERHE_SEED": "x"}, tmp_path)
    assert len(found) == 3
    assert "needle" not in " ".join(found)


def test_env_example_documents_every_setting_and_its_default(project: Path, tmp_path: Path) -> None:
    lines = (project / ".env.example").read_text("utf-8").splitlines()
    names = [line[2:].partition("=")[0] for line in lines if line.startswith("# ORDERHE_")]
    assert sorted(names) == sorted(VARIABLES)
    # Uncommented as it stands, the file changes nothing.
    uncommented = "\n".join(line[2:] if line.startswith("# ORDERHE_") else line for line in lines)
    (tmp_path / ".env").write_text(uncommented, "utf-8")
    bare = tmp_path / "bare"
    bare.mkdir()
    expected = load_settings({"ORDERHE_HOME": str(tmp_path / ".orderhe")}, bare)
    assert load_settings({}, tmp_path) == expected
