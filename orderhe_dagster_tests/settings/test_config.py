"""Settings: what is read, what wins, and that every mistake is named at once."""

from __future__ import annotations

import pickle
from datetime import date
from pathlib import Path

import pytest

from orderhe_dagster.settings.config import (
    OWN_SQL,
    VARIABLES,
    MySQLSettings,
    RedshiftSettings,
    S3Settings,
    Settings,
    SettingsError,
    load_settings,
)
from orderhe_dagster.settings.databases import mysql_of


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
        s3=S3Settings(bucket="orderhe", prefix=""),
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
    assert settings.s3.prefix == "shops/demo"


@pytest.mark.parametrize("text", ["krw", "₩", "EURO", "US", "U5D", "ＫＲＷ"])
def test_a_currency_is_three_capital_letters(tmp_path: Path, text: str) -> None:
    assert load_settings({"ORDERHE_CURRENCY": " EUR "}, tmp_path).currency == "EUR"
    (problem,) = problems({"ORDERHE_CURRENCY": text}, tmp_path)
    assert problem.startswith(f"ORDERHE_CURRENCY: {text!r} is not three capital letters like KRW")


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
    assert settings.s3.bucket == "my-shop"
    assert settings.s3.prefix == "p$a#${HOME} ss"
    assert settings.time_zone == "Asia/Seoul"
    assert load_settings({"ORDERHE_S3_BUCKET": ""}, tmp_path).s3.bucket == "orderhe"


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
    assert f"there is no folder {tmp_path / 'nowhere'}: make it" in text
    assert "orderhe adopt <folder>" in text


MYSQL = {
    "ORDERHE_MYSQL_HOST": "db.shop.example",
    "ORDERHE_MYSQL_USER": "etl",
    "ORDERHE_MYSQL_DATABASE": "shop",
}
REDSHIFT = {
    "ORDERHE_REDSHIFT_HOST": "shop.example",
    "ORDERHE_REDSHIFT_USER": "loader",
    "ORDERHE_REDSHIFT_PASSWORD": "needle",
}
S3 = {"ORDERHE_S3_BUCKET": "shop-backup"}
SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:redshift-loader-Ab1"


def test_the_profile_sets_what_no_switch_sets(tmp_path: Path) -> None:
    aws = {"ORDERHE_PROFILE": "aws", **MYSQL, **REDSHIFT, **S3}
    found = load_settings(aws, tmp_path)
    assert (found.source, found.store, found.warehouse) == ("mysql", "s3", "redshift")
    assert found.shop == "external"
    found = load_settings(aws | {"ORDERHE_STORE": "folder"}, tmp_path)
    assert (found.source, found.store, found.warehouse) == ("mysql", "folder", "redshift")
    found = load_settings(aws | {"ORDERHE_PROFILE": "local"}, tmp_path)
    assert (found.source, found.store, found.warehouse) == ("embedded", "folder", "embedded")


@pytest.mark.parametrize(
    ("switch", "given", "missing"),
    [
        ({"ORDERHE_SOURCE": "mysql"}, MYSQL, list(MYSQL)),
        ({"ORDERHE_STORE": "s3"}, S3, list(S3)),
        ({"ORDERHE_WAREHOUSE": "redshift"}, REDSHIFT, list(REDSHIFT)),
        (
            {"ORDERHE_WAREHOUSE": "redshift", "ORDERHE_REDSHIFT_AUTH": "iam"},
            {"ORDERHE_REDSHIFT_WORKGROUP": "shop"},
            ["ORDERHE_REDSHIFT_WORKGROUP"],
        ),
        (
            {
                "ORDERHE_WAREHOUSE": "redshift",
                "ORDERHE_REDSHIFT_AUTH": "iam",
                "ORDERHE_REDSHIFT_CLUSTER": "shop",
            },
            {"ORDERHE_REDSHIFT_USER": "loader"},
            ["ORDERHE_REDSHIFT_USER"],
        ),
        (
            {"ORDERHE_WAREHOUSE": "data_api"},
            {"ORDERHE_REDSHIFT_WORKGROUP": "shop"},
            ["ORDERHE_REDSHIFT_WORKGROUP"],
        ),
        (
            {"ORDERHE_WAREHOUSE": "data_api", "ORDERHE_REDSHIFT_CLUSTER": "shop"},
            {"ORDERHE_REDSHIFT_SECRET_ARN": SECRET},
            ["ORDERHE_REDSHIFT_USER"],
        ),
    ],
)
def test_a_switch_names_what_it_needs(
    switch: dict[str, str], given: dict[str, str], missing: list[str], tmp_path: Path
) -> None:
    load_settings(switch | given, tmp_path)
    for empty in ({}, dict.fromkeys(given, "")):
        found = problems(switch | empty, tmp_path)
        assert [problem.split()[0] for problem in found] == missing


def test_an_empty_value_is_a_missing_one_and_is_named(tmp_path: Path) -> None:
    """.env.example, uncommented as it stands, names nobody's server."""
    example = (Path(__file__).parents[2] / ".env.example").read_text("utf-8")
    lines = [line.removeprefix("# ") for line in example.splitlines() if line.startswith("# ORDER")]
    (tmp_path / ".env").write_text("\n".join(lines), "utf-8")
    aws = {"ORDERHE_PROFILE": "aws"} | {
        f"ORDERHE_{name}": "" for name in ("SOURCE", "STORE", "WAREHOUSE", "S3_BUCKET")
    }
    found = problems(aws, tmp_path)
    assert {problem.split(":")[0] for problem in found} == {
        *(f"ORDERHE_MYSQL_{name} is empty" for name in ("HOST", "USER", "DATABASE")),
        *(f"ORDERHE_REDSHIFT_{name} is empty" for name in ("HOST", "USER", "PASSWORD")),
        "ORDERHE_S3_BUCKET is empty",
    }
    blank = problems({"ORDERHE_STORE": "s3", "ORDERHE_S3_BUCKET": "  "}, tmp_path / "elsewhere")
    assert blank == ("ORDERHE_S3_BUCKET is empty: s3 cannot be reached without it",)
    wrong = problems({"ORDERHE_STORE": "s3", "ORDERHE_S3_BUCKET": "No Bucket"}, tmp_path / "x")
    assert len(wrong) == 1, "a wrong value is told by itself"


@pytest.mark.parametrize(
    ("name", "value", "switch"),
    [
        ("ORDERHE_MYSQL_HOST", "db.shop.example", "ORDERHE_SOURCE=mysql"),
        ("ORDERHE_MYSQL_PORT", "3307", "ORDERHE_SOURCE=mysql"),
        ("ORDERHE_REDSHIFT_SSLMODE", "disable", "ORDERHE_WAREHOUSE=redshift"),
        ("ORDERHE_S3_ENDPOINT_URL", "http://127.0.0.1:9000", "ORDERHE_STORE=s3"),
    ],
)
def test_a_server_that_would_not_be_reached_is_not_passed_over(
    name: str, value: str, switch: str, tmp_path: Path
) -> None:
    (problem,) = problems({name: value}, tmp_path)
    assert problem.startswith(f"{name} is set, but ")
    assert switch in problem
    load_settings({name: value, "ORDERHE_PROFILE": "local"}, tmp_path)


@pytest.mark.parametrize(
    ("pasted", "host"),
    [
        ("wg.1.us-east-1.redshift-serverless.amazonaws.com:5439/dev",
         "wg.1.us-east-1.redshift-serverless.amazonaws.com"),
        ("jdbc:redshift://wg.example:5439/dev", "wg.example"),
        ("postgresql://loader:needle@wg.example/dev", "wg.example"),
    ],
)  # fmt: skip
def test_a_pasted_endpoint_is_told_from_a_host(pasted: str, host: str, tmp_path: Path) -> None:
    on = {"ORDERHE_WAREHOUSE": "redshift", **REDSHIFT}
    (problem,) = problems({**on, "ORDERHE_REDSHIFT_HOST": pasted}, tmp_path)
    assert f"the host's name alone: {host}; port" in problem
    assert "needle" not in problem
    for good in (host, "127.0.0.1", "::1"):
        given = {**on, "ORDERHE_REDSHIFT_HOST": f" {good}\r"}
        assert load_settings(given, tmp_path).redshift.host == good


@pytest.mark.parametrize(
    "wrong",
    ["http://", "http://localhost:90000", "https://key:needle@minio.example", "http://a/?x=needle"],
)
def test_an_endpoint_of_s3_is_an_address(wrong: str, tmp_path: Path) -> None:
    on = {"ORDERHE_STORE": "s3", **S3}
    (problem,) = problems({**on, "ORDERHE_S3_ENDPOINT_URL": wrong}, tmp_path)
    assert problem.startswith("ORDERHE_S3_ENDPOINT_URL: ")
    assert "key:needle" not in problem
    good = "http://localhost:9000/s3"
    assert load_settings({**on, "ORDERHE_S3_ENDPOINT_URL": good}, tmp_path).s3.endpoint_url == good


def test_a_role_is_default_or_an_arn(tmp_path: Path) -> None:
    on = {"ORDERHE_WAREHOUSE": "redshift", **REDSHIFT}
    arn = "arn:aws:iam::123456789012:role/copy"
    found = load_settings({"ORDERHE_REDSHIFT_IAM_ROLE": arn, **on}, tmp_path)
    assert found.redshift.iam_role == arn
    (problem,) = problems({"ORDERHE_REDSHIFT_IAM_ROLE": "x' manifest", **on}, tmp_path)
    assert "neither default nor like arn:" in problem


def test_a_secret_is_named_and_never_written_out(tmp_path: Path) -> None:
    on = {"ORDERHE_WAREHOUSE": "data_api", "ORDERHE_REDSHIFT_WORKGROUP": "shop"}
    found = load_settings({**on, "ORDERHE_REDSHIFT_SECRET_ARN": SECRET}, tmp_path)
    assert found.redshift.secret_arn == SECRET
    (problem,) = problems({**on, "ORDERHE_REDSHIFT_SECRET_ARN": "needle"}, tmp_path)
    assert "like arn:aws:secretsmanager:" in problem
    assert "needle" not in problem


def test_a_secret_stands_in_place_of_a_password_and_not_beside_it(tmp_path: Path) -> None:
    mysql = {
        **{"ORDERHE_SOURCE": "mysql", "ORDERHE_MYSQL_HOST": "h", "ORDERHE_MYSQL_USER": "etl"},
        **{"ORDERHE_MYSQL_DATABASE": "shop", "ORDERHE_MYSQL_SECRET_ARN": SECRET},
    }
    redshift = {
        **{"ORDERHE_WAREHOUSE": "redshift", "ORDERHE_REDSHIFT_HOST": "h"},
        **{"ORDERHE_REDSHIFT_USER": "loader", "ORDERHE_REDSHIFT_SECRET_ARN": SECRET},
    }
    found = load_settings(mysql | redshift, tmp_path)
    assert found.mysql.secret_arn == found.redshift.secret_arn == SECRET
    both = {"ORDERHE_MYSQL_PASSWORD": "needle", "ORDERHE_REDSHIFT_PASSWORD": "needle"}
    wrong = problems(mysql | redshift | both, tmp_path)
    assert [one.split()[0] for one in wrong] == list(both)
    assert all("SECRET_ARN are both set: one of them is out of date" in one for one in wrong)
    assert "needle" not in str(wrong)


def test_a_database_that_is_named_with_a_password_needs_no_secret(tmp_path: Path) -> None:
    usual = MySQLSettings(user="etl", secret_arn=SECRET)
    assert mysql_of("mysql://etl:other@h/shop", usual).secret_arn == ""
    assert mysql_of("mysql://h/shop", usual).secret_arn == SECRET


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


def test_a_secret_is_told_when_asked_and_never_written_down(tmp_path: Path) -> None:
    environ = {
        "ORDERHE_SOURCE": "mysql",
        "ORDERHE_MYSQL_HOST": "db.example.com",
        "ORDERHE_MYSQL_USER": "reader",
        "ORDERHE_MYSQL_DATABASE": "shop",
        "ORDERHE_MYSQL_PASSWORD": "needle",
    }
    settings = load_settings(environ, tmp_path)
    assert settings.mysql.password.reveal() == "needle"
    shown = (repr(settings), str(settings.mysql), repr(settings.mysql.password))
    assert not any("needle" in text for text in shown)
    with pytest.raises(TypeError, match="not written down"):
        pickle.dumps(settings)
    environ["ORDERHE_MYSQL_PASSWORD"] = "rotated"
    assert settings.mysql.password.reveal() == "rotated"
