"""The three walls end to end, as a beginner meets them: the error, the fix that is printed, a working run.

The ways in are real: a port that drops packets as long as moto's security group has no rule, a bucket that
refuses as long as moto's role has no statement. What is printed is run, against moto, as it is printed.
"""

from __future__ import annotations

import hashlib
import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from local_redshift.database.storage import Resolver, denied
from local_redshift.testing.certificates import Authority
from local_redshift.testing.server import serving
from orderhe_dagster.cli import main
from orderhe_dagster.resources.aws import cloud
from orderhe_dagster.resources.laptop.store_resolver import resolver
from orderhe_dagster_tests.doctor import aws
from orderhe_dagster_tests.doctor.aws import (
    REGION,
    ControlPlane,
    address_page,
    at_moto,
    control_plane,
)
from orderhe_dagster_tests.servers.mariadb import OWNER, MariaDB
from orderhe_dagster_tests.servers.redshift import variables_of
from orderhe_dagster_tests.servers.s3 import S3Server
from orderhe_dagster_tests.shops import SALES, TestShop, fill

MINE = "203.0.113.7"
SERVERLESS = f"shop.123456789012.{REGION}.redshift-serverless.amazonaws.com"


class Gate:
    """A port of the loopback before a server's: packets are dropped until it is opened."""

    def __init__(self) -> None:
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(0)
        self.port = int(self._listener.getsockname()[1])
        self._links = [self._fill() for _ in range(2)]
        self.is_open = False

    def _fill(self) -> socket.socket:
        """A connection that nobody takes: a queue that is full drops what comes."""
        link = socket.socket()
        link.setblocking(False)
        link.connect_ex(("127.0.0.1", self.port))
        return link

    def open(self, server_port: int) -> None:
        """Let everything through to the server."""
        if self.is_open:
            return
        self.is_open = True
        self._listener.listen(64)  # a longer queue, from now on
        for link in self._links:
            link.close()
        threading.Thread(target=self._serve, args=(server_port,), daemon=True).start()

    def close(self) -> None:
        """Listen no more, and drop what is open."""
        for link in (self._listener, *self._links):
            with suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)
            link.close()

    def _serve(self, server_port: int) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", server_port))
                self._links += [client, server]
                for source, target in ((client, server), (server, client)):
                    threading.Thread(target=_pump, args=(source, target), daemon=True).start()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while some := source.recv(65536):
            target.sendall(some)
        target.shutdown(socket.SHUT_WR)


@pytest.fixture
def gate() -> Iterator[Gate]:
    made = Gate()
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def account(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[ControlPlane]:
    """An account at moto, and this machine's address as its page tells it."""
    at_moto(monkeypatch, s3_server)
    with control_plane(monkeypatch) as plane, address_page(MINE) as url:
        monkeypatch.setattr(cloud, "ADDRESS_URL", url)
        yield plane


def named(patch: pytest.MonkeyPatch, name: str) -> None:
    """Let a name of AWS's lead to this machine."""
    asked = socket.getaddrinfo

    def look_up(host: Any, *arguments: Any, **more: Any) -> Any:
        return asked("127.0.0.1" if host == name else host, *arguments, **more)

    patch.setattr(socket, "getaddrinfo", look_up)


class Beginner:
    """Somebody with a `.env` and a terminal, and no other page open."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        patch.chdir(folder)

    def writes(self, **settings: str) -> None:
        """Write `.env`."""
        lines = [f"ORDERHE_{name}='{value}'" for name, value in settings.items()]
        env = self.folder / ".env"
        env.write_text("\n".join(lines) + "\n", "utf-8")
        env.chmod(0o600)

    def types(self, *words: str) -> tuple[int, str]:
        """Run `orderhe …`; its exit code and what it prints."""
        done = CliRunner().invoke(main, list(words), catch_exceptions=False)
        return done.exit_code, done.output


def shop_at(folder: Path) -> TestShop:
    """The small shop's SQL, and nothing made yet."""
    shop = TestShop(folder, {})
    shop.write(SALES)
    return shop


def rule_of(group: str, port: int) -> bool:
    """Whether the group lets this machine in."""
    rules = cloud.AWSCloud().rules([group], REGION)[group]
    return any(rule.covers(port) and f"{MINE}/32" in rule.cidrs for rule in rules)


def group(name: str) -> str:
    import boto3

    ec2 = boto3.Session().client("ec2", region_name=REGION)
    made = ec2.create_security_group(GroupName=name, Description=name)
    return str(made["GroupId"])


def routed_subnet() -> str:
    """A subnet with a route to an internet gateway."""
    import boto3

    ec2 = boto3.Session().client("ec2", region_name=REGION)
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.9.1.0/24")["Subnet"]["SubnetId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    return str(subnet)


def test_wall_one_the_database_lets_nobody_in(
    account: ControlPlane,
    mariadb: MariaDB,
    gate: Gate,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import boto3

    rds = boto3.Session().client("rds", region_name=REGION)
    guard = group("wall-one")
    rds.create_db_instance(
        DBInstanceIdentifier="wall-one",
        DBInstanceClass="db.t4g.micro",
        Engine="mysql",
        AllocatedStorage=20,
        MasterUsername="etl",
        MasterUserPassword="a-password",
        VpcSecurityGroupIds=[guard],
        PubliclyAccessible=True,
        Port=gate.port,
    )
    (instance,) = rds.describe_db_instances(DBInstanceIdentifier="wall-one")["DBInstances"]
    host = instance["Endpoint"]["Address"]
    named(monkeypatch, host)
    beginner, shop = Beginner(tmp_path, monkeypatch), shop_at(tmp_path)
    with mariadb.database() as database:
        settings = {
            **{"SQL": str(tmp_path / "sql"), "HOME": str(tmp_path / "home")},
            **{"START_DATE": "2026-01-01", "SOURCE": "mysql", "MYSQL_HOST": host},
            **{"MYSQL_PORT": str(gate.port), "MYSQL_USER": OWNER.user},
            **{"MYSQL_DATABASE": database, "MYSQL_SSL_CA": mariadb.ca},
            # The tests' certificate is not for a name of Amazon's; the scanner knows no laxer way.
            **{"MYSQL_SSLMODE": "verify-ca", "MYSQL_EXTRACT": "arrow"},
            "MYSQL_CONNECT_TIMEOUT": "2",
        }
        beginner.writes(**settings)
        monkeypatch.setenv("ORDERHE_MYSQL_PASSWORD", OWNER.password)
        code, output = beginner.types("create")
        assert code == 1
        assert "Nothing lets this machine in" in output, output
        code, output = beginner.types("doctor")
        assert code == 1
        assert re.search(r"MySQL +TCP +FAILED", output), output
        assert "No inbound rule names this machine's address" in output
        commands = [c for c in commands_in(output) if f"--group-id {guard} " in c]
        assert commands == [
            (
                f"aws ec2 authorize-security-group-ingress --region {REGION} --group-id {guard} "
                f"--protocol tcp --port {gate.port} --cidr {MINE}/32"
            )
        ]
        assert not rule_of(guard, gate.port)
        aws.run(commands[0])
        assert rule_of(guard, gate.port)
        gate.open(mariadb.port)
        assert beginner.types("create")[0] == 0
        code, output = beginner.types("doctor")
        assert re.search(r"MySQL +login +ok", output), output
        assert re.search(r"MySQL +way in \(AWS\) +ok", output), output
        fill(TestShop(tmp_path, {**{f"ORDERHE_{n}": v for n, v in settings.items()},
                                 "ORDERHE_MYSQL_PASSWORD": OWNER.password}))  # fmt: skip
        code, output = beginner.types(
            "run", "backup/*", "--from", "2026-01-01", "--to", "2026-01-04"
        )
        assert code == 0, output
    assert shop.folder == tmp_path


def commands_in(output: str) -> list[str]:
    """Every `aws` command that is printed, once each."""
    lines = dict.fromkeys(line.strip() for line in output.splitlines())
    return [line for line in lines if line.startswith("aws ")]


class RoleReader:
    """S3 as Redshift reads it: with the credentials of a role that moto holds to its policies."""

    def __init__(self, server: S3Server, arn: str, folder: Path) -> None:
        import boto3

        given = server.client("sts").assume_role(RoleArn=arn, RoleSessionName="copy")["Credentials"]
        self._client = boto3.Session().client(
            "s3",
            endpoint_url=server.url,
            verify=server.ca or None,
            region_name=REGION,
            aws_access_key_id=given["AccessKeyId"],
            aws_secret_access_key=given["SecretAccessKey"],
            aws_session_token=given["SessionToken"],
        )
        self._folder = folder

    def _asked(self, address: str, ask: Callable[[str, str], Any]) -> Any:
        from botocore.exceptions import ClientError

        bucket, _, key = address.removeprefix("s3://").partition("/")
        try:
            return ask(bucket, key)
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == 403:
                raise denied(address) from None
            raise FileNotFoundError(address) from error

    def read(self, address: str) -> bytes:
        def ask(bucket: str, key: str) -> Any:
            return self._client.get_object(Bucket=bucket, Key=key)["Body"].read()

        return bytes(self._asked(address, ask))

    def local_path(self, address: str) -> str:
        path = self._folder / hashlib.sha256(address.encode()).hexdigest()
        path.write_bytes(self.read(address))
        return str(path)

    def list(self, prefix: str) -> list[tuple[str, int]]:
        def ask(bucket: str, key: str) -> Any:
            found = self._client.list_objects_v2(Bucket=bucket, Prefix=key).get("Contents", [])
            return [(f"s3://{bucket}/{one['Key']}", one["Size"]) for one in found]

        return list(self._asked(prefix, ask))


def test_wall_two_the_role_may_not_read_the_bucket(
    account: ControlPlane,
    s3_server: S3Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    iam = s3_server.client("iam")
    bucket = s3_server.bucket_name()
    trust = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {
                        "Service": ["redshift.amazonaws.com", "redshift-serverless.amazonaws.com"],
                        "AWS": "arn:aws:iam::123456789012:user/administrator",  # moto's own way in
                    },
                    "Action": "sts:AssumeRole",
                }
            ],
        }
    )
    made = iam.create_role(RoleName=f"copy-{bucket}", AssumeRolePolicyDocument=trust)["Role"]
    elsewhere = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": ["s3:GetObject", "s3:ListBucket", "s3:GetBucketLocation"],
                "Resource": ["arn:aws:s3:::another", "arn:aws:s3:::another/*"],
            }
        ],
    }
    iam.put_role_policy(
        RoleName=made["RoleName"], PolicyName="first", PolicyDocument=json.dumps(elsewhere)
    )
    (tmp_path / "copied").mkdir()
    reader = RoleReader(s3_server, made["Arn"], tmp_path / "copied")
    reach = Resolver(reader.read, reader.local_path, reader.list)
    beginner, shop = Beginner(tmp_path, monkeypatch), shop_at(tmp_path)
    with serving(authority=Authority(tmp_path / "tls"), resolver=reach) as served:
        given = variables_of(served)
        settings = {
            **{"SQL": str(tmp_path / "sql"), "HOME": str(tmp_path / "home")},
            **{"START_DATE": "2026-01-01", "STORE": "s3", "WAREHOUSE": "redshift"},
            **{"S3_BUCKET": bucket, "S3_PREFIX": "one", "S3_ENDPOINT_URL": s3_server.url},
            **{"REDSHIFT_IAM_ROLE": made["Arn"], "REDSHIFT_HOST": served.host},
            **{"REDSHIFT_PORT": str(served.port), "REDSHIFT_USER": served.user},
            "REDSHIFT_SSL_CA": given["ORDERHE_REDSHIFT_SSL_CA"],
        }
        beginner.writes(**settings)
        monkeypatch.setenv("ORDERHE_REDSHIFT_PASSWORD", served.password)
        assert beginner.types("create")[0] == 0
        environ = {f"ORDERHE_{name}": value for name, value in settings.items()}
        fill(TestShop(tmp_path, {**environ, "ORDERHE_REDSHIFT_PASSWORD": served.password}))
        code, output = beginner.types(
            "run", "backup/*, warehouse/*", "--from", "2026-01-01", "--to", "2026-01-04"
        )
        assert code == 1
        assert "Redshift's role may not read the bucket" in output, output
        assert made["Arn"] in output
        by_run = commands_in(output)
        code, output = beginner.types("doctor")
        assert code == 1
        assert re.search(r"Redshift +login +not asked", output)
        assert re.search(r"Redshift +role's trust \(AWS\) +ok", output), output
        assert "The role's policies do not allow what COPY needs" in output, output
        by_doctor = commands_in(output)
        assert by_run == by_doctor
        for command in by_doctor:
            assert command.startswith(f"aws iam put-role-policy --role-name {made['RoleName']} ")
            aws.run(command)
        code, output = beginner.types("doctor", "--sql")
        assert re.search(r"Redshift +COPY +ok", output), output
        assert not re.search(r"(S3|Redshift) .* FAILED", output), output
        code, output = beginner.types(
            "run", "backup/*, warehouse/*", "--from", "2026-01-01", "--to", "2026-01-04"
        )
        assert code == 0, output
    assert shop.folder == tmp_path


def test_wall_three_the_workgroup_is_private(
    account: ControlPlane,
    gate: Gate,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    guard = group("wall-three")
    role = "arn:aws:iam::123456789012:role/shop-copy"
    account.workgroup = {
        "workgroupName": "shop",
        "namespaceName": "shop-ns",
        "workgroupArn": f"arn:aws:redshift-serverless:{REGION}:123456789012:workgroup/1",
        "status": "AVAILABLE",
        "publiclyAccessible": False,
        "securityGroupIds": [guard],
        "subnetIds": [routed_subnet()],
        "endpoint": {"address": SERVERLESS, "port": gate.port},
    }
    account.namespace = {
        "namespaceName": "shop-ns",
        "iamRoles": [f"IamRole(applyStatus=in-sync, iamRoleArn={role})"],
        "defaultIamRoleArn": role,
    }
    named(monkeypatch, SERVERLESS)
    beginner, shop = Beginner(tmp_path, monkeypatch), shop_at(tmp_path)
    with ExitStack() as stack:
        reach = resolver(TestShop(tmp_path, {"ORDERHE_SQL": str(tmp_path / "sql")}).store, stack)
        authority = Authority(tmp_path / "tls")
        served = stack.enter_context(serving(authority=authority, resolver=reach))
        settings = {
            **{"SQL": str(tmp_path / "sql"), "HOME": str(tmp_path / "home")},
            **{"START_DATE": "2026-01-01", "WAREHOUSE": "redshift"},
            **{"REDSHIFT_HOST": SERVERLESS, "REDSHIFT_PORT": str(gate.port)},
            **{"REDSHIFT_USER": served.user, "REDSHIFT_SSL_CA": served.ca},
            # The tests' certificate is not for a name of Amazon's.
            **{"REDSHIFT_SSLMODE": "verify-ca", "REDSHIFT_CONNECT_TIMEOUT": "2"},
        }
        beginner.writes(**settings)
        monkeypatch.setenv("ORDERHE_REDSHIFT_PASSWORD", served.password)
        code, output = beginner.types("create")
        assert code == 1
        assert "The workgroup cannot be reached from here" in output, output
        code, output = beginner.types("doctor")
        assert code == 1
        assert re.search(r"Redshift +TCP +FAILED", output), output
        assert "The workgroup is not publicly accessible" in output
        way_in = output[output.index("Redshift, way in (AWS)") :]
        commands = commands_in(way_in)
        assert not account.workgroup["publiclyAccessible"]
        for command in commands:
            aws.run(command)
        assert account.workgroup["publiclyAccessible"]
        assert rule_of(guard, gate.port)
        gate.open(served.port)
        assert beginner.types("create")[0] == 0
        code, output = beginner.types("doctor")
        assert re.search(r"Redshift +TLS +ok", output), output
        assert re.search(r"Redshift +way in \(AWS\) +ok", output), output
        assert re.search(r"Redshift +usage limit \(AWS\) +ok", output), output
        environ = {f"ORDERHE_{name}": value for name, value in settings.items()}
        fill(TestShop(tmp_path, {**environ, "ORDERHE_REDSHIFT_PASSWORD": served.password}))
        code, output = beginner.types(
            "run", "backup/*, warehouse/*", "--from", "2026-01-01", "--to", "2026-01-04"
        )
        assert code == 0, output
    assert shop.folder == tmp_path
