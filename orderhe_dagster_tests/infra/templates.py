"""The templates of `infra/`, read and resolved: parameters, conditions and what one stack takes of another.

What only AWS can tell (an ARN, an address) becomes a value that looks like it. Nothing is asked of anybody.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).resolve().parents[2] / "infra"
ACCOUNT, REGION = "123456789012", "us-east-1"
CALLER = "203.0.113.7"
PSEUDO = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Region": REGION,
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
}
Template = dict[str, Any]
Given = Mapping[str, str]

STACKS: Mapping[str, Given] = {
    "budget": {"Email": "someone@shop.example"},
    "network": {},
    "bucket": {},
    "mysql": {"CallerAddress": f"{CALLER}/32"},
    "bi": {},
    "redshift": {},
    "dagster": {},
}
"""The stacks in the order in which they are deployed, and what a beginner gives to each."""
IN_PLACES_OF_YOURS: Mapping[str, Given] = {
    "network": {
        "VpcId": "vpc-0a1b2c3d4e5f67890",
        "SubnetIds": "subnet-0a1b2c3d,subnet-1a1b2c3d,subnet-2a1b2c3d",
        "Addresses": "172.31",
    },
    "bucket": {"ExistingBucket": "a-bucket-of-mine", "Prefix": "shops/one"},
    "mysql": {
        "ExistingHost": "db.shop.example",
        "ExistingUser": "loader",
        "ExistingGroupId": "sg-0a1b2c3d",
        "ExistingSecretArn": f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:shop-a1b2c3",
    },
    "redshift": {
        "ExistingWorkgroup": "mine",
        "ExistingWorkgroupArn": f"arn:aws:redshift-serverless:{REGION}:{ACCOUNT}:workgroup/1",
        "ExistingSecretArn": f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:mine-a1b2c3",
    },
}
"""What is given for a network, bucket, database and workgroup that are there already."""


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms (`!Ref`, `!GetAtt`, …)."""


def _short_form(loader: _Loader, suffix: str, node: yaml.Node) -> Any:
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
        if name == "Fn::GetAtt":
            value = value.split(".", 1)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)
        value = loader.construct_mapping(node, deep=True)
    return {name: value}


_Loader.add_multi_constructor("!", _short_form)


def names() -> list[str]:
    """The templates' names, without `.yaml`."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


@cache
def _read(name: str) -> Template:
    template: Template = yaml.load((FOLDER / f"{name}.yaml").read_text("utf-8"), _Loader)
    return template


def template(name: str) -> Template:
    """A template of ours, as a copy that may be changed."""
    return copy.deepcopy(_read(name))


@dataclass
class Stack:
    """What a template comes to with these parameters: its resources, its outputs, what it exports."""

    name: str
    parameters: dict[str, Any]
    resources: dict[str, Any] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)
    exports: dict[str, Any] = field(default_factory=dict)


class Resolver:
    """Works out one template. `exports`: what the stacks before it export.

    `made`: the names that resources got, where it is deployed, and attributes as `Name.Attribute`.
    """

    def __init__(
        self,
        template: Template,
        name: str,
        given: Given,
        exports: Mapping[str, Any],
        made: Mapping[str, str] | None = None,
    ) -> None:
        self._template, self._name, self._exports = template, name, exports
        self._made = made or {}
        self._parameters = dict(_parameters(template, given))

    def stack(self) -> Stack:
        """The stack."""
        stack = Stack(self._name, self._parameters)
        for name, resource in self._template["Resources"].items():
            if self._is_made(resource):
                resolved = {key: resource[key] for key in resource if key != "Properties"}
                resolved["Properties"] = self.value(resource.get("Properties", {}))
                stack.resources[name] = resolved
        for name, output in self._template.get("Outputs", {}).items():
            if self._is_made(output):
                stack.outputs[name] = self.value(output["Value"])
                if "Export" in output:
                    stack.exports[self.value(output["Export"]["Name"])] = stack.outputs[name]
        return stack

    def _is_made(self, thing: Mapping[str, Any]) -> bool:
        return "Condition" not in thing or self.condition(thing["Condition"])

    def condition(self, given: Any) -> bool:
        """Whether a condition holds."""
        if isinstance(given, str):
            return self.condition(self._template["Conditions"][given])
        ((name, value),) = given.items()
        if name == "Condition":
            return self.condition(value)
        if name == "Fn::Equals":
            return bool(self.value(value[0]) == self.value(value[1]))
        judged = [self.condition(one) for one in value]
        by_name: dict[str, Callable[[], bool]] = {
            "Fn::Not": lambda: not judged[0],
            "Fn::And": lambda: all(judged),
            "Fn::Or": lambda: any(judged),
        }
        return by_name[name]()

    def value(self, given: Any) -> Any:
        """A value, every function of it worked out."""
        if isinstance(given, list):
            return [one for one in map(self.value, given) if one is not _NO_VALUE]
        if not isinstance(given, dict):
            return given
        if len(given) == 1:
            ((name, inner),) = given.items()
            if name == "Ref" or name.startswith("Fn::"):
                return self._function(name, inner)
        resolved = {name: self.value(one) for name, one in given.items()}
        return {name: one for name, one in resolved.items() if one is not _NO_VALUE}

    def _function(self, name: str, given: Any) -> Any:
        if name == "Fn::If":
            return self.value(given[1] if self.condition(given[0]) else given[2])
        if name == "Ref":
            return self._named(given)
        if name == "Fn::GetAtt":
            return self._attribute(*given)
        if name == "Fn::Sub":
            return self._substituted(given)
        value = self.value(given)
        by_name: dict[str, Callable[[], Any]] = {
            "Fn::Join": lambda: value[0].join(map(str, value[1])),
            "Fn::Split": lambda: value[1].split(value[0]),
            "Fn::Select": lambda: value[1][int(value[0])],
            "Fn::GetAZs": lambda: [f"{REGION}{letter}" for letter in "abcdef"],
            "Fn::ImportValue": lambda: self._exports[value],
        }
        return by_name[name]()

    def _named(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return _NO_VALUE
        known = {**PSEUDO, "AWS::StackName": self._name, **self._parameters}
        if name in known:
            return known[name]
        if self._made.get(name):
            return self._made[name]
        resource = self._template["Resources"][name]
        if resource["Type"] in ("AWS::IAM::ManagedPolicy",):
            return f"arn:aws:iam::{ACCOUNT}:policy/{self._name}-{name}"
        own = _NAMES.get(resource["Type"])
        if own and own in resource["Properties"]:
            return self.value(resource["Properties"][own])
        return f"{self._name}-{name}".lower()

    def _attribute(self, name: str, attribute: str) -> str:
        assert name in self._template["Resources"], name
        kind = self._template["Resources"][name]["Type"]
        secret = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{self._name}-{name}-Ab1c2d"
        by_kind = {
            "AWS::S3::Bucket": "arn:aws:s3:::{}",
            "AWS::IAM::Role": f"arn:aws:iam::{ACCOUNT}:role/{{}}",
            "AWS::Logs::LogGroup": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{{}}:*",
            "AWS::ECS::Cluster": f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/{{}}",
            "AWS::ECR::Repository": f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/{{}}",
            "AWS::EFS::FileSystem": f"arn:aws:elasticfilesystem:{REGION}:{ACCOUNT}:file-system/{{}}",
            "AWS::EFS::AccessPoint": f"arn:aws:elasticfilesystem:{REGION}:{ACCOUNT}:access-point/{{}}",
        }
        known = {
            f"{name}.{attribute}": self._made.get(f"{name}.{attribute}", ""),
            f"{name}.MasterUserSecret.SecretArn": secret,
            f"{name}.SecretArn": secret,
        }
        if known.get(f"{name}.{attribute}"):
            return known[f"{name}.{attribute}"]
        if attribute == "Arn" and kind in by_kind:
            return by_kind[kind].format(self._named(name))
        if attribute.endswith("Arn"):
            service = kind.split("::")[1].lower()
            return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{self._name}-{name}/{attribute}"
        if attribute in ("GroupId", "Name"):
            return f"{self._named(name)}"
        if attribute == "RepositoryUri":
            return f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{self._named(name)}"
        return f"{self._name}-{name}.{attribute}".lower()

    def _substituted(self, given: Any) -> str:
        text, own = (given, {}) if isinstance(given, str) else given

        def put(match: re.Match[str]) -> str:
            name = match[1]
            if name.startswith("!"):
                return f"${{{name[1:]}}}"
            if name in own:
                return str(self.value(own[name]))
            return str(self._attribute(*name.split(".", 1)) if "." in name else self._named(name))

        # `${aws:userid}` is IAM's own.
        return re.sub(r"\$\{((?!aws:)[^}]+)\}", put, text)


_NO_VALUE = object()
_NAMES = {
    "AWS::ECR::Repository": "RepositoryName",
    "AWS::S3::Bucket": "BucketName",
    "AWS::RedshiftServerless::Namespace": "NamespaceName",
    "AWS::RedshiftServerless::Workgroup": "WorkgroupName",
}


def _parameters(template: Template, given: Given) -> Mapping[str, Any]:
    declared = template.get("Parameters", {})
    strangers = set(given) - set(declared)
    assert not strangers, f"no such parameters: {strangers}"
    values: dict[str, Any] = {}
    for name, parameter in declared.items():
        assert name in given or "Default" in parameter, f"{name} is not given"
        value = given.get(name, parameter.get("Default"))
        if pattern := parameter.get("AllowedPattern"):
            assert re.fullmatch(pattern, str(value)), f"{name}: {value!r} is not {pattern}"
        if allowed := parameter.get("AllowedValues"):
            assert str(value) in map(str, allowed), f"{name}: {value!r} is not in {allowed}"
        if parameter["Type"] == "CommaDelimitedList":
            value = str(value).split(",")
        if parameter["Type"] == "Number":
            value = int(value)
        values[name] = value
    return values


def resolved(
    given: Mapping[str, Given] | None = None, templates: Mapping[str, Template] | None = None
) -> dict[str, Stack]:
    """All stacks, each with what those before it export. `templates`: some that are not ours as they are."""
    stacks: dict[str, Stack] = {}
    exports: dict[str, Any] = {}
    for name, usual in STACKS.items():
        one = (templates or {}).get(name) or template(name)
        stack = Resolver(one, f"orderhe-{name}", {**usual, **(given or {}).get(name, {})}, exports)
        stacks[name] = stack.stack()
        exports |= stacks[name].exports
    return stacks
