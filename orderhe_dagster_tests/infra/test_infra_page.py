"""docs/infra.md: its commands name what the templates have, its tables leave nothing out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from orderhe_dagster_tests.infra import policy, templates
from orderhe_dagster_tests.infra.moto_stacks import Account
from orderhe_dagster_tests.infra.templates import STACKS

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "infra.md").read_text("utf-8")
DEPLOYMENTS = re.findall(r"^aws cloudformation deploy .*$", PAGE, re.M)


def option(command: str, name: str) -> str:
    found = re.search(rf"--{name} (\S+)", command)
    return found[1] if found else ""


@pytest.mark.parametrize("command", DEPLOYMENTS)
def test_a_command_deploys_a_template_with_its_parameters(command: str) -> None:
    path = ROOT / option(command, "template-file")
    template = templates.template(path.stem)
    assert option(command, "stack-name") == f"orderhe-{path.stem}"
    given = dict(
        one.strip('"').split("=", 1)
        for one in re.findall(r'"[^"]+"|\S+', command.partition("--parameter-overrides ")[2])
    )
    assert set(given) <= set(template["Parameters"])
    needed = {name for name, one in template["Parameters"].items() if "Default" not in one}
    assert needed <= set(given)
    kinds = {one["Type"].split("::")[1] for one in template["Resources"].values()}
    assert ("IAM" in kinds) == (option(command, "capabilities") == "CAPABILITY_IAM")


def test_seven_commands_lead_there_and_each_stack_has_one() -> None:
    block = PAGE.partition("```sh\n")[2].partition("```")[0]
    commands = [line for line in block.splitlines() if not line.startswith("export ")]
    assert len(commands) == 7
    named = [option(one, "stack-name").removeprefix("orderhe-") for one in commands[:5]]
    assert named == [name for name in STACKS if name not in ("bi", "dagster")]


def test_the_stacks_are_deleted_in_an_order_that_can_be() -> None:
    """None is deleted before one that imports of it."""
    found = re.search(r"^for stack in ([a-z ]+); do$", PAGE, re.M)
    assert found is not None
    order = found[1].split()
    assert sorted(order) == sorted(STACKS)
    links = {"NetworkStack": "network", "BucketStack": "bucket", "BiStack": "bi"}
    links |= {"MySqlStack": "mysql", "RedshiftStack": "redshift"}
    for name in STACKS:
        for parameter, other in links.items():
            if parameter in templates.template(name)["Parameters"]:
                assert order.index(name) < order.index(other), f"{name} uses {other}"


def test_the_bucket_goes_by_the_line_that_says_so(new_account: Account) -> None:
    new_account.deploy("bucket")
    bucket, s3 = new_account.outputs("bucket")["BucketName"], new_account.client("s3")
    for body in (b"one", b"two"):
        s3.put_object(Bucket=bucket, Key="backup/one", Body=body)
    s3.delete_object(Bucket=bucket, Key="backup/one")
    found = re.search(r'^ *\.venv/bin/python -c "(import boto3; .*)"$', PAGE, re.M)
    assert found is not None
    exec(found[1].replace("BUCKET", bucket), {})
    assert bucket not in [one["Name"] for one in s3.list_buckets()["Buckets"]]


def test_the_table_of_terraform_has_every_type() -> None:
    table = PAGE.partition("## The same in Terraform")[2]
    kinds = {
        one["Type"] for name in STACKS for one in templates.template(name)["Resources"].values()
    }
    assert kinds == set(re.findall(r"`((?:AWS|Custom)::[A-Za-z0-9:]+)`", table))


def test_the_page_names_every_stack_and_every_right_without_a_resource() -> None:
    costs = PAGE.partition("## What it costs")[2]
    for name in STACKS:
        assert f"| `{name}.yaml` |" in PAGE.partition("## What it costs")[0]
        assert f"| `{name}.yaml` |" in costs
    rights = PAGE.partition("Rights on `*`")[2].partition("\n\n")[0]
    for action in policy.WITHOUT_RESOURCE:
        name = action.split(":")[1]
        alike = "UsageLimit" in name or action.startswith("ssmmessages:")
        assert name in rights or alike, action
