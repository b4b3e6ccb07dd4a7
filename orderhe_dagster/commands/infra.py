"""`orderhe infra env`: what the stacks of `infra/` tell, as lines of .env. Nothing secret is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from orderhe_dagster.settings.config import PREFIX

if TYPE_CHECKING:
    from orderhe_dagster.ports.stacks import Stack, Stacks

Outputs = Mapping[str, str]
_GIVES: Mapping[str, Mapping[str, str]] = {
    "bucket": {"S3_BUCKET": "BucketName", "S3_PREFIX": "Prefix"},
    "mysql": {
        "MYSQL_HOST": "Host",
        "MYSQL_DATABASE": "DatabaseName",
        "MYSQL_USER": "UserName",
        "MYSQL_SECRET_ARN": "SecretArn",
    },
    "redshift": {
        "REDSHIFT_WORKGROUP": "WorkgroupName",
        "REDSHIFT_SECRET_ARN": "SecretArn",
        "REDSHIFT_IAM_ROLE": "CopyRoleArn",
    },
}
"""Stack -> setting (without its prefix) -> the output that it is."""
_SWITCHES = {"bucket": "STORE=s3", "mysql": "SOURCE=mysql", "redshift": "WAREHOUSE=data_api"}
_OPTIONAL = {"S3_PREFIX"}
_NEEDS = {
    "mysql": ' --parameter-overrides "CallerAddress=$(curl -s https://checkip.amazonaws.com)/32"'
}
_RDS = ".rds.amazonaws.com"
_BUNDLE = "https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem"


@dataclass
class Env:
    """Lines of .env, what is wrong with the stacks, each with its remedy, and what is to be done besides."""

    lines: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def env_of_stacks(prefix: str, stacks: Stacks | None = None) -> Env:
    """The settings that the stacks make. `stacks`: not the real ones. PortError where AWS does not tell."""
    if stacks is None:
        from orderhe_dagster.resources.build import build_stacks

        stacks = build_stacks()
    env = Env()
    for stem, gives in _GIVES.items():
        name = f"{prefix}-{stem}"
        stack = stacks.stack(name)
        problem = _wrong(stack, name, stem, prefix, gives)
        if problem or stack is None:
            env.problems.append(problem)
        else:
            env.lines += ["", f"# {name}", *_lines(stem, stack.outputs)]
    file = _BUNDLE.rpartition("/")[2]
    if any(line.endswith(f"={file}") for line in env.lines) and not Path(file).exists():
        env.notes.append(
            f"fetch Amazon's certificates, by which MySQL's is verified: curl -O {_BUNDLE}"
        )
    if env.problems and stacks.stack(f"{prefix}-network") is None:
        problem = _wrong(None, f"{prefix}-network", "network", prefix, {})
        env.problems.insert(0, f"{problem}\nThe others lie in it.")
    if env.lines:
        head = [
            f"# What `orderhe infra env` read of the stacks {prefix}-*. No password is here: Secrets Manager",
            "# is asked for each. Credentials and region are AWS's own variables:",
            f"# export AWS_DEFAULT_REGION={stacks.region}",
        ]
        env.lines = head + env.lines
    return env


def _lines(stem: str, outputs: Outputs) -> list[str]:
    given = {
        setting: outputs[output] for setting, output in _GIVES[stem].items() if output in outputs
    }
    lines = [f"{PREFIX}{_SWITCHES[stem]}"]
    lines += [f"{PREFIX}{setting}={value}" for setting, value in given.items()]
    if given.get("MYSQL_HOST", "").endswith(_RDS):
        lines += [f"{PREFIX}MYSQL_SSL_CA={_BUNDLE.rpartition('/')[2]}"]
    return lines


def _wrong(stack: Stack | None, name: str, stem: str, prefix: str, gives: Mapping[str, str]) -> str:
    """What is wrong with a stack and what to run; "" where nothing is."""
    if stack is None:
        return f"there is no stack {name}. Make it:\n    {deploy_command(stem, prefix)}"
    if not stack.stands:
        return f"the stack {name} is {stack.status}. {_remedy(stack, stem, prefix)}"
    missing = [
        output
        for setting, output in gives.items()
        if output not in stack.outputs and setting not in _OPTIONAL
    ]
    if missing:
        return (
            f"the stack {name} does not tell {', '.join(missing)}: it is of another template. Deploy it "
            f"again:\n    {deploy_command(stem, prefix)}"
        )
    return ""


def _remedy(stack: Stack, stem: str, prefix: str) -> str:
    status = stack.status
    if status.endswith("_IN_PROGRESS"):
        verb = "update" if status.startswith("UPDATE") else "create"
        if "DELETE" in status or "ROLLBACK" in status:
            return f"Look again in some minutes: aws cloudformation describe-stacks --stack-name {stack.name}"
        return f"Wait for it:\n    aws cloudformation wait stack-{verb}-complete --stack-name {stack.name}"
    reasons = (
        f"aws cloudformation describe-stack-events --stack-name {stack.name} --query "
        "\"StackEvents[?contains(ResourceStatus,'FAILED')].[LogicalResourceId,ResourceStatusReason]\" "
        "--output text"
    )
    again = deploy_command(stem, prefix)
    if status in ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED"):
        return (
            f"It was not made; the first tells why, the others try again:\n    {reasons}\n"
            f"    aws cloudformation delete-stack --stack-name {stack.name}\n    {again}"
        )
    return f"What failed, and how to try again:\n    {reasons}\n    {again}"


def deploy_command(stem: str, prefix: str = "orderhe") -> str:
    """What makes or changes a stack, to be run in the checkout."""
    overrides = _NEEDS.get(stem, "")
    others = {
        "mysql": {"NetworkStack": "network"},
        "redshift": {"NetworkStack": "network", "BucketStack": "bucket"},
    }
    if prefix != "orderhe" and stem in others:
        links = [f"{parameter}={prefix}-{other}" for parameter, other in others[stem].items()]
        overrides = f"{overrides or ' --parameter-overrides'} {' '.join(links)}"
    return (
        f"aws cloudformation deploy --template-file infra/{stem}.yaml --stack-name {prefix}-{stem} "
        f"--capabilities CAPABILITY_IAM{overrides}"
    )
