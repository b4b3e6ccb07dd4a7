"""`orderhe infra env` against stacks at moto: it prints what settings take, and names what lacks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner

from orderhe_dagster.cli import main
from orderhe_dagster.commands.infra import deploy_command, env_of_stacks
from orderhe_dagster.ports.stacks import Stack, Stacks
from orderhe_dagster.resources.aws.stacks import AWSStacks
from orderhe_dagster.settings.config import load_settings
from orderhe_dagster_tests.infra import templates
from orderhe_dagster_tests.infra.moto_stacks import Account
from orderhe_dagster_tests.servers.s3 import S3Server, use


class GivenStacks(Stacks):
    """Stacks that a test makes up."""

    def __init__(self, **stacks: Stack) -> None:
        self._stacks = {stack.name: stack for stack in stacks.values()}

    @property
    def region(self) -> str:
        return "eu-west-1"

    def stack(self, name: str) -> Stack | None:
        return self._stacks.get(name)


ROLE = "arn:aws:iam::123456789012:role/orderhe-redshift-CopyRole-1"
SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:{}-Ab1"
OUTPUTS: Mapping[str, Mapping[str, str]] = {
    "network": {},
    "bucket": {"BucketName": "orderhe-1-eu-west-1", "ObjectsArn": "arn:o", "StorePolicyArn": "a"},
    "mysql": {
        "Host": "m.abc.eu-west-1.rds.amazonaws.com",
        "DatabaseName": "shop",
        "UserName": "orderhe",
        "SecretArn": SECRET.format("rds!db-1"),
    },
    "redshift": {
        "WorkgroupName": "orderhe",
        "SecretArn": SECRET.format("redshift!orderhe-orderhe"),
        "CopyRoleArn": ROLE,
    },
}


def given(
    prefix: str = "orderhe", without: str = "", status: Mapping[str, str] | None = None
) -> GivenStacks:
    """All stacks, but one; some in another state."""
    return GivenStacks(
        **{
            name: Stack(f"{prefix}-{name}", (status or {}).get(name, "CREATE_COMPLETE"), outputs)
            for name, outputs in OUTPUTS.items()
            if name != without
        }
    )


def settings_of(lines: list[str], folder: Path) -> Mapping[str, str]:
    """The lines as a .env that settings read; gives them by name."""
    folder.joinpath(".env").write_text("\n".join(lines) + "\n", "utf-8")
    folder.joinpath("global-bundle.pem").touch()
    load_settings({}, folder)
    pairs = [line.split("=", 1) for line in lines if line and not line.startswith("#")]
    return dict(pairs)


def test_the_lines_are_settings_without_a_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = env_of_stacks("orderhe", given())
    assert found.problems == []
    assert settings_of(found.lines, tmp_path) == {
        "ORDERHE_STORE": "s3",
        "ORDERHE_S3_BUCKET": "orderhe-1-eu-west-1",
        "ORDERHE_SOURCE": "mysql",
        "ORDERHE_MYSQL_HOST": "m.abc.eu-west-1.rds.amazonaws.com",
        "ORDERHE_MYSQL_DATABASE": "shop",
        "ORDERHE_MYSQL_USER": "orderhe",
        "ORDERHE_MYSQL_SECRET_ARN": SECRET.format("rds!db-1"),
        "ORDERHE_MYSQL_SSL_CA": "global-bundle.pem",
        "ORDERHE_WAREHOUSE": "data_api",
        "ORDERHE_REDSHIFT_WORKGROUP": "orderhe",
        "ORDERHE_REDSHIFT_SECRET_ARN": SECRET.format("redshift!orderhe-orderhe"),
        "ORDERHE_REDSHIFT_IAM_ROLE": ROLE,
    }
    assert "# export AWS_DEFAULT_REGION=eu-west-1" in found.lines
    assert "curl -O https://truststore.pki.rds.amazonaws.com/" in found.notes[0]
    monkeypatch.chdir(tmp_path)  # where the file is
    assert env_of_stacks("orderhe", given()).notes == []


@pytest.mark.parametrize("name", ["bucket", "mysql", "redshift"])
def test_a_missing_stack_is_named_with_the_command_that_makes_it(name: str) -> None:
    found = env_of_stacks("shop2", given("shop2", without=name))
    (problem,) = found.problems
    assert problem.startswith(f"there is no stack shop2-{name}. Make it:")
    assert f"--template-file infra/{name}.yaml --stack-name shop2-{name} " in problem
    links = [one for one in templates.template(name)["Parameters"] if one.endswith("kStack")]
    assert all(f"{one}=shop2-" in problem for one in links), "it finds the others of its prefix"
    assert not any(one.startswith(f"# shop2-{name}") for one in found.lines)
    assert len([one for one in found.lines if one.startswith("# shop2-")]) == 2


def test_without_any_stack_the_network_comes_first() -> None:
    found = env_of_stacks("orderhe", GivenStacks())
    assert found.lines == []
    assert [one.split(".")[0].split()[-1] for one in found.problems] == [
        *("orderhe-network", "orderhe-bucket", "orderhe-mysql", "orderhe-redshift")
    ]


@pytest.mark.parametrize(
    ("status", "says"),
    [
        ("CREATE_IN_PROGRESS", "aws cloudformation wait stack-create-complete --stack-name"),
        ("UPDATE_IN_PROGRESS", "aws cloudformation wait stack-update-complete --stack-name"),
        ("DELETE_IN_PROGRESS", "Look again in some minutes: aws cloudformation describe-stacks"),
        ("ROLLBACK_IN_PROGRESS", "Look again in some minutes: aws cloudformation describe-stacks"),
        ("ROLLBACK_COMPLETE", "aws cloudformation delete-stack --stack-name orderhe-mysql"),
        ("UPDATE_ROLLBACK_FAILED", "aws cloudformation describe-stack-events --stack-name"),
    ],
)
def test_a_stack_that_does_not_stand_is_named_with_what_to_do(status: str, says: str) -> None:
    found = env_of_stacks("orderhe", given(status={"mysql": status}))
    (problem,) = found.problems
    assert problem.startswith(f"the stack orderhe-mysql is {status}. ")
    assert says in problem
    assert not any("MYSQL" in line for line in found.lines)


def test_a_stack_of_another_template_is_told() -> None:
    stacks = GivenStacks(mysql=Stack("orderhe-mysql", "CREATE_COMPLETE", {"Host": "h"}))
    problem = env_of_stacks("orderhe", stacks).problems[2]
    assert "orderhe-mysql does not tell DatabaseName, UserName, SecretArn" in problem


@pytest.mark.parametrize("name", ["network", "bucket", "mysql", "redshift"])
def test_the_commands_name_templates_and_parameters_that_exist(name: str) -> None:
    for prefix in ("orderhe", "shop2"):
        words = deploy_command(name, prefix).split()
        assert (templates.FOLDER.parent / words[words.index("--template-file") + 1]).is_file()
        overrides = " ".join(words).partition("--parameter-overrides")[2]
        named = {one.strip('"').partition("=")[0] for one in overrides.split() if "=" in one}
        assert named <= set(templates.template(name)["Parameters"])


def test_at_moto_the_verb_prints_what_was_deployed(
    new_account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("network", "bucket", "mysql"):
        new_account.deploy(name, **({"Prefix": "one"} if name == "bucket" else {}))
    words = ["infra", "env", "--stack-prefix", new_account.stem]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "global-bundle.pem").touch()
    done = CliRunner().invoke(main, words, catch_exceptions=False)
    assert done.exit_code == 1
    assert f"there is no stack {new_account.stem}-redshift" in done.stderr
    new_account.deploy("redshift")
    done = CliRunner().invoke(main, words, catch_exceptions=False)
    assert (done.exit_code, done.stderr) == (0, "")
    found = settings_of(done.stdout.splitlines(), tmp_path)
    assert found["ORDERHE_S3_PREFIX"] == "one"
    assert found["ORDERHE_MYSQL_HOST"] == new_account.outputs("mysql")["Host"]
    assert found["ORDERHE_REDSHIFT_IAM_ROLE"] == new_account.outputs("redshift")["CopyRoleArn"]


def test_who_may_not_ask_is_told_so(
    new_account: Account, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}],
    }
    use(monkeypatch, s3_server.user(s3_server.bucket_name("nobody"), nothing))
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_server.url)
    done = CliRunner().invoke(main, ["infra", "env"], catch_exceptions=False)
    assert done.exit_code == 1
    assert "needs cloudformation:DescribeStacks" in done.stderr


@pytest.mark.parametrize("lacks", ["credentials", "region"])
def test_without_credentials_or_region_it_is_told_so(
    s3_server: S3Server, monkeypatch: pytest.MonkeyPatch, lacks: str
) -> None:
    use(monkeypatch, s3_server.environ if lacks == "region" else {})
    if lacks == "region":
        monkeypatch.delenv("AWS_DEFAULT_REGION")
    done = CliRunner().invoke(main, ["infra", "env"], catch_exceptions=False)
    assert done.exit_code == 1
    assert {"credentials": "`aws configure`", "region": "NoRegionError"}[lacks] in done.stderr


def test_a_stack_of_moto_is_read_as_it_is(new_account: Account) -> None:
    new_account.deploy("network")
    found = AWSStacks().stack(new_account.stack_name("network"))
    assert found is not None
    assert found.stands
    assert dict(found.outputs) == new_account.outputs("network")
    assert AWSStacks().stack("there-is-none") is None
