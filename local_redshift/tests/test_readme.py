"""What a stranger tries first: the README's programs and commands, and the package's public names."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import local_redshift
from local_redshift.serve import parser
from local_redshift.testing.missing import missing
from local_redshift.testing.server import serving
from tests.asking import Client
from tests.house import PROJECT

README = (PROJECT / "README.md").read_text("utf-8")
PROGRAMS = re.findall(r"```python\n(.*?)```\n\nprints\n\n```\n(.*?)```", README, re.DOTALL)


def python(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], cwd=cwd, capture_output=True, text=True, check=False
    )


def test_there_are_programs_to_try() -> None:
    assert len(PROGRAMS) == 2


@pytest.mark.parametrize(("program", "printed"), PROGRAMS, ids=["python", "copy"])
def test_programs_print_what_the_readme_says(program: str, printed: str, tmp_path: Path) -> None:
    done = python("-c", program, cwd=tmp_path)
    assert (done.stdout, done.stderr) == (printed, "")


def test_the_program_that_serves_by_itself_does(tmp_path: Path) -> None:
    page = (PROJECT / "docs" / "wire.md").read_text("utf-8")
    (program,) = re.findall(r"```python\n(from pathlib.*?Server.*?)```", page, re.DOTALL)
    done = python("-c", program, cwd=tmp_path)
    assert re.fullmatch(r"127\.0\.0\.1 \d+\n", done.stdout), done.stderr


def test_the_package_alone_loads_nothing_and_has_its_public_names(tmp_path: Path) -> None:
    loaded = "import sys, local_redshift; print(*sorted(n for n in sys.modules if 'redshift' in n))"
    assert python("-c", loaded, cwd=tmp_path).stdout == "local_redshift\n"
    for name in local_redshift.__all__:
        assert getattr(local_redshift, name).__name__ == name
    listed = "import local_redshift; print({*local_redshift.__all__} - {*dir(local_redshift)})"
    assert python("-c", listed, cwd=tmp_path).stdout == "set()\n"
    with pytest.raises(AttributeError, match="no attribute 'conect'"):
        local_redshift.conect  # type: ignore[attr-defined]  # noqa: B018


@contextmanager
def served(folder: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    """The command in a process of its own, and the variables that it printed."""
    command = [sys.executable, "-m", "local_redshift", "w.duckdb", "--port", "0", *options]
    started = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=folder)
    assert started.stdout is not None
    variables: dict[str, str] = {}
    try:
        for line in started.stdout:
            if exported := re.fullmatch(r"export (\w+)=(.*)\n", line):
                variables[exported[1]] = exported[2].strip("'")
            if ("AWS_SECRET_ACCESS_KEY" if "--data-api" in options else "PGPASSWORD") in variables:
                break
        yield started, variables
    finally:
        started.kill()
        started.communicate()


def test_the_command_serves_psql_with_tls_until_it_is_stopped(tmp_path: Path) -> None:
    if shutil.which("psql") is None:
        missing("psql is not installed: install postgresql-client")
    (tmp_path / "s3" / "shop").mkdir(parents=True)
    (tmp_path / "s3" / "shop" / "sales.csv").write_text("1,2.50\n")
    script = """create table sales (id integer, total decimal(12,2));
        copy sales from 's3://shop/sales.csv' iam_role default csv; select total from sales"""
    with served(tmp_path, "--store", "s3") as (process, variables):
        assert variables["PGSSLMODE"] == "verify-full"
        shell = "".join(f"export {name}={value}\n" for name, value in variables.items())
        done = subprocess.run(
            ["sh", "-euc", f'{shell}psql -X -A -t -c "{script}"'],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert (done.stdout.split(), done.stderr) == (
            ["CREATE", "TABLE", "COPY", "2.50"],
            "INFO:  Load into table 'sales' completed, 1 record(s) loaded successfully.\n",
        )
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0
    with local_redshift.connect(tmp_path / "w.duckdb") as session:
        assert session.execute("select id from sales").rows == [(1,)]


def test_the_command_serves_the_data_api_too(tmp_path: Path) -> None:
    with served(tmp_path, "--insecure", "--data-api", "0") as (_, variables):
        secret = variables["AWS_SECRET_ACCESS_KEY"].removeprefix('"$(cat ').removesuffix(')"')
        client = Client(
            variables["AWS_ENDPOINT_URL_REDSHIFT_DATA"],
            variables["AWS_ACCESS_KEY_ID"],
            Path(secret).read_text("utf-8").strip(),
        )
        assert client.rows(client.run("select 1 as one")["Id"]) == [[1]]


@pytest.mark.parametrize(("language", "command"), [("python", sys.executable), ("sh", "sh")])
def test_the_clients_of_the_page_connect(language: str, command: str, tmp_path: Path) -> None:
    if language == "sh" and shutil.which("psql") is None:
        missing("psql is not installed: install postgresql-client")
    page = (PROJECT / "docs" / "wire.md").read_text("utf-8")
    client = re.search(rf"```{language}\n(.*?)```", page, re.DOTALL)
    assert client is not None
    with served(tmp_path) as (_, variables):
        done = subprocess.run(
            [command, "-"] if language == "python" else [command, "-eu"],
            input=client[1].replace("5439", variables["PGPORT"]),
            cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert {"one", "1"} <= set(done.stdout.split())


def test_the_page_has_every_option_of_the_command() -> None:
    page = (PROJECT / "docs" / "wire.md").read_text("utf-8")
    section = page.partition("## The server")[2].partition("## ")[0]
    options = {one for action in parser()._actions for one in action.option_strings}
    named = set(re.findall(r"`(--[a-z-]+)`", section))
    assert named == {one for one in options if one.startswith("--")} - {"--help"}


def test_no_page_leads_to_a_program_beside_this_one() -> None:
    pages = [PROJECT / "README.md", *(PROJECT / "docs").glob("*.md")]
    named = [page.name for page in pages if "orderhe" in page.read_text("utf-8")]
    assert named == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--host", "0.0.0.0", "--insecure"], "listening there needs TLS"),
        (["--roles", "roles.json"], "the key 'role'; there are default, roles. It is written like"),
        (["--roles", "latin.json"], "--roles latin.json: byte 10 is not UTF-8. It is written like"),
        (["not.duckdb"], "not a valid DuckDB"),
    ],
)
def test_what_cannot_be_served_is_told_without_a_traceback(
    options: list[str], words: str, tmp_path: Path
) -> None:
    (tmp_path / "roles.json").write_text('{"role": []}')
    (tmp_path / "latin.json").write_bytes('{"roles": é}'.encode("latin-1"))
    (tmp_path / "not.duckdb").write_text("no database " * 1000)
    done = python("-m", "local_redshift", "--port", "0", *options, cwd=tmp_path)
    assert done.returncode == 1
    assert words in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--port", "99999", "'99999' is no port: give a number from 0 to 65535"),
        ("--port", "-1", "'-1' is no port"),
        ("--port", "x", "'x' is no port"),
        ("--store", "nowhere", "'nowhere' is no folder: make it"),
        ("--store", "file", "'file' is no folder"),
        ("--user", "", "it is empty"),
    ],
)
def test_a_wrong_option_is_named(option: str, value: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = python("-m", "local_redshift", option, value, cwd=tmp_path)
    assert done.returncode == 2
    assert f"error: argument {option}: {words}" in done.stderr
    assert "Traceback" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["file"], "something was made"


def test_a_port_that_is_taken_is_told_with_the_remedy(tmp_path: Path) -> None:
    with serving() as other:
        done = python("-m", "local_redshift", "--port", str(other.port), cwd=tmp_path)
    assert done.returncode == 1
    assert "choose another --port" in done.stderr


def test_the_help_for_tests_says_so_where_pytest_is_missing(tmp_path: Path) -> None:
    blocked = "import sys; sys.modules['pytest'] = None; import local_redshift.testing.server"
    done = python("-c", blocked, cwd=tmp_path)
    assert "which is not installed: pip install pytest" in done.stderr


def test_a_folder_is_a_store_of_buckets(tmp_path: Path) -> None:
    store = local_redshift.folder_store(tmp_path)
    with pytest.raises(local_redshift.NoSuchBucket, match="make 'shop' there"):
        store.list("s3://shop/")
    (tmp_path / "shop").mkdir()
    file = tmp_path / "file"
    file.write_bytes(b"abc")
    store.put("s3://shop/a/b.csv", file)
    store.put("s3://shop/a.csv", file)
    assert store.list("s3://shop/a/") == [("s3://shop/a/b.csv", 3)]
    assert store.list("s3://shop/a") == [("s3://shop/a.csv", 3), ("s3://shop/a/b.csv", 3)]
    assert store.read("s3://shop/a/b.csv") == Path(store.local_path("s3://shop/a.csv")).read_bytes()
    store.delete(["s3://shop/a/b.csv"])
    with pytest.raises(FileNotFoundError):
        store.read("s3://shop/a/b.csv")
    for key in ("../file", "a//b", "a/.."):
        refused: Any = local_redshift.RedshiftError
        with pytest.raises(refused, match="name folders and files plainly"):
            store.read(f"s3://shop/{key}")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "shop"]
