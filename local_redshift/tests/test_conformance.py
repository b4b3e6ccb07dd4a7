"""The conformance run, against the wire server: it judges, records, and leaves nothing behind."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from local_redshift.testing.server import Redshift
from tests.conformance import executing, report
from tests.house import PROJECT
from tests.statement_files import cases

FEW = ("numbers", "changes")


def test_run_judges_records_and_leaves_nothing(redshift: Redshift) -> None:
    chosen = [case for case in cases() if case.file in FEW]
    right = next(case for case in chosen if case.rows)
    wrong = replace(right, title="made wrong", rows=["'never'"])
    with closing(redshift.connect()) as connection:
        execute = executing(connection)
        result = report(execute, "here", [*chosen, wrong])
        left = execute("select count(*) from pg_namespace where nspname like 'conformance%'")
    by_title = {answer["case"]: answer for answer in result["answers"]}
    assert by_title[f"{right.file}: {right.title}"]["outcome"] == "agrees"
    assert by_title[f"{right.file}: made wrong"]["outcome"] == "differs"
    assert result["outcomes"].pop("differs") == 1, [
        answer for answer in result["answers"] if answer["outcome"] == "differs"
    ]
    assert result["outcomes"]["agrees"] > 20
    assert "Redshift" in result["server"]
    assert [tuple(row) for row in left.rows] == [(0,)]


def test_the_command_asks_by_psql_s_variables(redshift: Redshift, tmp_path: Path) -> None:
    def asked(variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-W", "ignore", "-m", "tests.conformance", "--only", "json:"]
        return subprocess.run(
            [*command, "--to", str(tmp_path / "answers.json")],
            cwd=PROJECT, env=variables, capture_output=True, text=True, check=False,
        )  # fmt: skip

    done = asked(redshift.psql_environment)
    assert (done.returncode, done.stderr) == (0, "")
    result = json.loads((tmp_path / "answers.json").read_text("utf-8"))
    assert set(result["outcomes"]) <= {"agrees", "refused", "skipped"}
    assert result["outcomes"]["agrees"] > 5
    assert "PGPASSWORD: set them as for psql" in asked({"PGHOST": "x", "PGUSER": "y"}).stderr
