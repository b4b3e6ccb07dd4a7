"""AWS for the doctor's tests: moto, a control plane of Redshift Serverless, and a reader of `aws …`.

`run` does with boto3 what the command line would do, for the commands that the doctor prints.
"""

from __future__ import annotations

import json
import re
import shlex
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from orderhe_dagster_tests.servers.s3 import S3Server, use

REGION = "us-east-1"
OF_THE_LINE_ALONE = {("sso", "login"), ("configure",), ("configure", "list-profiles")}
"""Commands of `aws` that are no operation of a service."""
_OF_EC2 = {"protocol": "IpProtocol", "cidr": "CidrIp"}


@dataclass
class ControlPlane:
    """What redshift-serverless answers. `asked` are the actions so far.

    `denies`: it refuses everybody; `is_empty`: it knows nothing.
    """

    workgroup: dict[str, Any] = field(default_factory=dict)
    namespace: dict[str, Any] = field(default_factory=dict)
    limits: list[dict[str, Any]] = field(default_factory=list)
    denies: bool = False
    is_empty: bool = False
    asked: list[str] = field(default_factory=list)

    def answer(self, action: str, given: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Status and body."""
        self.asked.append(action)
        if self.denies:
            return 400, {"__type": "AccessDeniedException", "message": "not authorized to perform"}
        if self.is_empty:
            return 400, {"__type": "ResourceNotFoundException", "message": "does not exist"}
        if action.endswith("Workgroup") and given.get("workgroupName") != self.workgroup.get(
            "workgroupName"
        ):
            return 400, {"__type": "ResourceNotFoundException", "message": "does not exist"}
        if action.endswith("Namespace") and given.get("namespaceName") != self.namespace.get(
            "namespaceName"
        ):
            return 400, {"__type": "ResourceNotFoundException", "message": "does not exist"}
        if action == "UpdateWorkgroup":
            self.workgroup["publiclyAccessible"] = given["publiclyAccessible"]
        if action == "UpdateNamespace":
            self.namespace["iamRoles"] = [
                f"IamRole(applyStatus=in-sync, iamRoleArn={arn})" for arn in given["iamRoles"]
            ]
            if "defaultIamRoleArn" in given:
                self.namespace["defaultIamRoleArn"] = given["defaultIamRoleArn"]
        if action == "CreateUsageLimit":
            self.limits.append({"usageLimitId": f"limit-{len(self.limits)}", **given})
        if action == "UpdateUsageLimit":
            of_id = [one for one in self.limits if one["usageLimitId"] == given["usageLimitId"]]
            of_id[0].update(given)
        if action == "DeleteUsageLimit":
            self.limits[:] = [
                one for one in self.limits if one["usageLimitId"] != given["usageLimitId"]
            ]
        return 200, {
            "GetWorkgroup": {"workgroup": self.workgroup},
            "UpdateWorkgroup": {"workgroup": self.workgroup},
            "GetNamespace": {"namespace": self.namespace},
            "UpdateNamespace": {"namespace": self.namespace},
            "ListUsageLimits": {"usageLimits": self.limits},
            "CreateUsageLimit": {"usageLimit": {}},
            "UpdateUsageLimit": {"usageLimit": {}},
            "DeleteUsageLimit": {"usageLimit": {}},
        }[action]


@contextmanager
def control_plane(patch: pytest.MonkeyPatch) -> Iterator[ControlPlane]:
    """A control plane that boto3 finds, for the block."""
    plane = ControlPlane()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            given = json.loads(self.rfile.read(int(self.headers["content-length"])))
            action = self.headers["x-amz-target"].rpartition(".")[2]
            status, body = plane.answer(action, given)
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-type", "application/x-amz-json-1.1")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        address = f"http://127.0.0.1:{server.server_address[1]}"
        patch.setenv("AWS_ENDPOINT_URL_REDSHIFT_SERVERLESS", address)
        try:
            yield plane
        finally:
            server.shutdown()
            thread.join(10)


@contextmanager
def address_page(text: str) -> Iterator[str]:
    """A page that tells the caller's address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, format: str, *args: Any) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/"
        finally:
            server.shutdown()
            thread.join(10)


def at_moto(patch: pytest.MonkeyPatch, server: S3Server) -> None:
    """Have boto3 find moto for all services, as an administrator."""
    use(patch, server.environ)
    patch.setenv("AWS_ENDPOINT_URL", server.url)
    patch.setenv("AWS_DEFAULT_REGION", REGION)


# -- the command line ---------------------------------------------------------------------------------


def commands(text: str) -> list[str]:
    """The `aws` commands of a fix, one a line."""
    return [line for line in text.splitlines() if line.startswith("aws ")]


def parsed(line: str) -> tuple[str, str, dict[str, Any]]:
    """Service, operation and arguments of a command. AssertionError where there are none of that name."""
    import botocore.session
    from botocore import xform_name

    words = shlex.split(line)
    assert words[0] == "aws", line
    service = {"s3api": "s3"}.get(words[1], words[1])
    model = botocore.session.get_session().get_service_model(service)
    operations = {xform_name(name, "-"): name for name in model.operation_names}
    assert words[2] in operations, f"{service} has no {words[2]}"
    shape = model.operation_model(operations[words[2]]).input_shape
    members = dict(shape.members) if shape else {}
    names = {xform_name(name, "-"): name for name in members}
    arguments: dict[str, Any] = {}
    for option, values in _options(words[3:]):
        if option in ("query", "output", "region", "endpoint-url", "max-items"):
            assert values, line
            continue
        if service == "ec2" and option == "port":
            arguments |= {"FromPort": int(values[0]), "ToPort": int(values[0])}
            continue
        name = _OF_EC2.get(option) if service == "ec2" and option in _OF_EC2 else names.get(option)
        assert name in members, f"{words[2]} of {service} has no --{option}: {sorted(names)}"
        arguments[name] = _value(members[name], values)
    return service, operations[words[2]], arguments


def _options(words: list[str]) -> Iterator[tuple[str, list[str]]]:
    option, values = "", list[str]()
    for word in [*words, "--"]:
        if word.startswith("--"):
            if option:
                yield option, values
            option, values = word.removeprefix("--"), []
        else:
            values.append(word)


def _value(shape: Any, values: list[str]) -> Any:
    if shape.type_name == "boolean":
        return True
    if shape.type_name in ("integer", "long"):
        return int(values[0])
    if shape.type_name == "list":
        return json.loads(values[0]) if values[0].startswith("[") else values
    if shape.type_name == "structure":
        return dict(part.split("=", 1) for part in values[0].split(","))
    assert len(values) == 1, values
    return values[0]


_NESTED = re.compile(r"\$\((aws (?:(?!\$\()[^()|])*)((?: \| [^()]*)?)\)")


def in_a_shell(line: str, address: str = "") -> dict[str, Any]:
    """`run`, after the commands within it, as a shell does; `address`: what the page of addresses tells."""
    import jmespath

    line = re.sub(r"\$\(curl -s [^)]*\)", address, line)
    while match := _NESTED.search(line):
        query = shlex.split(match[1])[shlex.split(match[1]).index("--query") + 1]
        found = jmespath.search(query, run(match[1]))
        text = " ".join(found) if isinstance(found, list) else str(found)
        if "sed 's|.*/||'" in match[2]:
            text = text.rpartition("/")[2]
        if "grep -o 'arn:" in match[2]:
            text = " ".join(re.findall(r"arn:[\w:/+=.@-]*", text)) + " "
        line = line.replace(match[0], text)
    assert "$(" not in line, line
    return run(line)


def run(line: str) -> dict[str, Any]:
    """Do what the command does."""
    import boto3
    from botocore import xform_name

    service, operation, arguments = parsed(line)
    for name, value in arguments.items():
        if isinstance(value, str) and value.startswith("file://"):
            arguments[name] = Path(value.removeprefix("file://")).read_text("utf-8")
    region = re.search(r"--region (\S+)", line)
    client = boto3.Session().client(service, region_name=region[1] if region else REGION)
    answer: dict[str, Any] = getattr(client, xform_name(operation))(**arguments)
    return answer
