"""cfn-lint, which carries AWS's own schemas of every resource, has nothing to say of the templates."""

from __future__ import annotations

from pathlib import Path

import pytest

from orderhe_dagster_tests.infra.templates import FOLDER, names


def messages(path: Path) -> list[str]:
    """What cfn-lint says of a template."""
    from cfnlint.api import lint_file

    return [f"{match.rule.id} {match.message}" for match in lint_file(path)]


@pytest.mark.parametrize("name", names())
def test_cfn_lint_is_content(name: str) -> None:
    assert messages(FOLDER / f"{name}.yaml") == []


def test_cfn_lint_knows_redshift_serverless(tmp_path: Path) -> None:
    """What no server of the tests plays is held by its schema: a wrong name or value is seen."""
    text = (FOLDER / "redshift.yaml").read_text("utf-8")
    faults = {
        "E3002": ("      BaseCapacity:", "      BaseCapcity:"),
        "E3012": ("EnhancedVpcRouting: false", "EnhancedVpcRouting: sometimes"),
        "E3030": ("LogExports: [connectionlog, userlog]", "LogExports: [everything]"),
        "E1010": ("!GetAtt Namespace.Namespace.NamespaceArn", "!GetAtt Namespace.Namespace.Arn"),
    }
    for right, wrong in faults.values():
        assert text.count(right) == 1, right
        text = text.replace(right, wrong)
    (tmp_path / "t.yaml").write_text(text, "utf-8")
    assert set(faults) <= {one.split()[0] for one in messages(tmp_path / "t.yaml")}


def test_every_exception_says_why() -> None:
    for name in names():
        lines = (FOLDER / f"{name}.yaml").read_text("utf-8").splitlines()
        for line in lines:
            if "ignore_checks:" in line:
                assert len(line.partition("#")[2]) > 20, f"{name}: {line}"
            if "id: CKV" in line:
                assert len(line.partition('comment: "')[2]) > 20, f"{name}: {line}"
