"""What S3 has and a folder has not: rights, credentials, encryption, hashes by the server, regions."""

from __future__ import annotations

import hashlib
import json
import os
import re
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, SSLError

from orderhe_dagster.ports.errors import PortError
from orderhe_dagster.resources.build import build_store
from orderhe_dagster.resources.laptop.store_resolver import resolver
from orderhe_dagster.resources.s3 import writes as s3_writes
from orderhe_dagster.resources.s3.client import Connection, client_of
from orderhe_dagster.resources.s3.errors import Place, s3_error
from orderhe_dagster.resources.s3.policy import policy, publish_policy, role_policy
from orderhe_dagster.resources.s3.store import S3Store
from orderhe_dagster.settings.config import S3Settings, load_settings
from orderhe_dagster_tests.servers import http_faults
from orderhe_dagster_tests.servers.mariadb import free_port
from orderhe_dagster_tests.servers.s3 import S3Server, running, use

Verb = Callable[[S3Store, Path], object]


@pytest.fixture
def store(s3: S3Server) -> S3Store:
    made = S3Store(
        S3Settings(bucket=s3.bucket_name(), prefix="a/b", endpoint_url=s3.url), max_attempts=2
    )
    made.create()
    return made


def upload(store: S3Store, folder: Path) -> None:
    file = folder / "file"
    file.write_bytes(b"1")
    store.upload([("k", file)])


DENIALS: dict[str, Verb] = {
    "s3:CreateBucket": lambda store, _: store.create(),
    "s3:PutBucketPublicAccessBlock": lambda store, _: store.create(),
    "s3:PutObject": lambda store, _: store.put("k", b"1", if_none_match=True),
    "s3:PutObject by upload": upload,
    "s3:GetObject": lambda store, _: store.get("k"),
    "s3:GetObject by head": lambda store, _: store.hashes(["k"]),
    "s3:DeleteObject": lambda store, _: store.delete(["k"]),
    "s3:ListBucket": lambda store, _: store.create(),
}


@pytest.mark.parametrize("case", DENIALS)
def test_a_denial_gives_the_statement_that_is_missing(
    case: str, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    action, _, _ = case.partition(" ")
    name = s3_server.bucket_name()
    all_but_one = policy(name, "a/b", creates=True)
    for statement in all_but_one["Statement"]:
        given = statement["Action"]
        statement["Action"] = [
            one for one in ([given] if isinstance(given, str) else given) if one != action
        ]
    all_but_one["Statement"] = [one for one in all_but_one["Statement"] if one["Action"]]
    use(monkeypatch, s3_server.environ)
    store = S3Store(S3Settings(bucket=name, prefix="a/b", endpoint_url=s3_server.url))
    if "Bucket" not in action or action == "s3:ListBucket":
        store.create()
        if "Put" not in action:
            store.put("k", b"1")
    use(monkeypatch, s3_server.user(name, all_but_one))
    with pytest.raises(PortError, match=re.escape(f"{action} on it is not allowed")) as refused:
        DENIALS[case](store, tmp_path)
    found = re.search(r"\{.*\}", str(refused.value))
    assert found is not None
    missing = json.loads(found[0])
    assert missing["Action"] == action
    all_but_one["Statement"].append(missing)
    s3_server.allow(name, all_but_one)
    DENIALS[case](store, tmp_path)


def test_the_documented_policy_is_the_one_that_is_tested(project: Path) -> None:
    page = (project / "docs/s3.md").read_text("utf-8")
    shown = re.search(r"```json\n(.*?)```", page, re.DOTALL)
    assert shown is not None
    assert json.loads(shown[1]) == policy("BUCKET", "PREFIX", kms_key_arn="KEY_ARN", creates=True)
    publishing = re.search(r"### Who only publishes\n.*?```json\n(.*?)```", page, re.DOTALL)
    assert publishing and json.loads(publishing[1]) == publish_policy("BUCKET", "PREFIX")


def test_the_documented_policy_of_redshift_s_role_is_what_its_statements_need(
    project: Path,
) -> None:
    text = (project / "docs/redshift.md").read_text("utf-8")
    shown = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", text, re.DOTALL)]
    assert role_policy("BUCKET", "PREFIX") in shown


def test_the_rights_end_at_the_prefix(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    name = s3_server.bucket_name()
    use(monkeypatch, s3_server.user(name, policy(name, "shops/one", creates=True)))
    S3Store(S3Settings(bucket=name, prefix="shops/one", endpoint_url=s3_server.url)).create()
    other = S3Store(S3Settings(bucket=name, prefix="shops/other", endpoint_url=s3_server.url))
    with pytest.raises(PortError, match=r"s3:PutObject on it is not allowed.*shops/other/\*"):
        other.put("k", b"1")


def test_what_is_wrong_with_credentials_and_address_is_told_without_secrets(
    s3: S3Server, store: S3Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "a-secret-key-that-nobody-may-see"
    store.put("k", b"1")
    cases: list[tuple[dict[str, str], dict[str, str], str]] = [
        ({}, {}, "credentials are missing: set AWS_PROFILE"),
        ({**s3.environ, "AWS_SECRET_ACCESS_KEY": secret}, {}, "Mend AWS_SECRET_ACCESS_KEY"),
        (
            {"AWS_ACCESS_KEY_ID": "AKIANOBODY", "AWS_SECRET_ACCESS_KEY": secret},
            {},
            "the access key is not known",
        ),
        ({"AWS_PROFILE": "nobody"}, {}, "Mend AWS_PROFILE"),
        (
            s3.environ,
            {"endpoint_url": f"http://me:{secret}@127.0.0.1:{free_port()}"},
            r"http://127.0.0.1:\d+ does not answer",
        ),
        (s3.environ, {"bucket": "nobodys-bucket"}, "there is no bucket 'nobodys-bucket'"),
    ]
    for credentials, changes, says in cases:
        use(monkeypatch, credentials)
        wrong = replace(store, settings=replace(store.settings, **changes))
        for verb in (
            lambda store=wrong: store.get("k"),
            lambda store=wrong: store.put("k", b"2"),
            lambda store=wrong: store.sizes(["k"]),
            lambda store=wrong: store.delete(["k"]),
        ):
            with pytest.raises(PortError, match=says) as told:
                verb()
            shown = "".join(traceback.format_exception(told.value.with_traceback(None)))
            assert secret not in str(told.value)
            assert "me:" not in str(told.value), shown


def test_create_makes_a_closed_bucket_in_the_region_that_is_set(
    s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, {**s3.environ, "AWS_DEFAULT_REGION": "eu-west-2"})
    store = S3Store(S3Settings(bucket=s3.bucket_name(), endpoint_url=s3.url))
    store.create()
    store.create()
    asked = s3.client()
    place = asked.get_bucket_location(Bucket=store.settings.bucket)["LocationConstraint"]
    assert place == "eu-west-2"
    closed = asked.get_public_access_block(Bucket=store.settings.bucket)[
        "PublicAccessBlockConfiguration"
    ]
    assert closed == dict.fromkeys(closed, True)
    assert len(closed) == 4


def test_everything_written_is_encrypted_as_the_settings_say(s3: S3Server, tmp_path: Path) -> None:
    key = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
    settings = load_settings(
        {
            "ORDERHE_HOME": str(tmp_path),
            "ORDERHE_STORE": "s3",
            "ORDERHE_S3_BUCKET": s3.bucket_name(),
            "ORDERHE_S3_PREFIX": "shops/one",
            "ORDERHE_S3_ENDPOINT_URL": s3.url,
            "ORDERHE_S3_SSE": "aws:kms",
            "ORDERHE_S3_KMS_KEY_ID": key,
        },
        tmp_path,
    )
    store = build_store(settings)
    store.create()
    store.put("k", b"1")
    file = tmp_path / "file"
    file.write_bytes(b"2")
    store.upload([("file", file)])
    for name in ("k", "file"):
        head = s3.client().head_object(Bucket=settings.s3.bucket, Key=f"shops/one/{name}")
        assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", key)


def test_hashes_come_from_the_server_without_a_body(
    s3: S3Server, store: S3Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(s3_writes, "PART_BYTES", 5 << 20)
    bodies = {
        "empty": b"",
        "small": b"1",
        "exact": os.urandom(5 << 20),
        "large": os.urandom((10 << 20) + 1),
    }
    for name, body in bodies.items():
        (tmp_path / name).write_bytes(body)
    store.upload([(name, tmp_path / name) for name in bodies])
    s3.client().put_object(Bucket=store.settings.bucket, Key="a/b/foreign", Body=b"by another tool")
    known = [hashlib.sha256(body).hexdigest() for body in bodies.values()]
    with http_faults.before(s3.url) as proxy:
        through = replace(store, settings=replace(store.settings, endpoint_url=proxy.url))
        assert through.hashes(list(bodies)) == known
        assert set(proxy.methods()) == {"HEAD"}
        assert through.hashes(["foreign"]) == [hashlib.sha256(b"by another tool").hexdigest()]
        assert proxy.methods()[-1] == "GET", "what was stored without a hash is read"
    store.download("large", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == bodies["large"]


def test_an_object_that_was_replaced_behind_our_back_has_its_own_hash(
    s3: S3Server, store: S3Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Even where somebody keeps the metadata: the server's own checksum is believed, not what is noted."""
    monkeypatch.setattr(s3_writes, "PART_BYTES", 5 << 20)
    (tmp_path / "large").write_bytes(os.urandom(6 << 20))
    store.put("small", b"as stored")
    store.upload([("large", tmp_path / "large")])
    for key in ("small", "large"):
        at = {"Bucket": store.settings.bucket, "Key": f"a/b/{key}"}
        noted = s3.client().head_object(**at)["Metadata"]
        s3.client().put_object(**at, Body=b"altered", Metadata=noted, ChecksumAlgorithm="SHA256")
    altered = hashlib.sha256(b"altered").hexdigest()
    assert store.hashes(["small"]) == [altered]
    assert store.hashes(["large"]) == [altered]
    with pytest.raises(PortError, match="a/b/small is damaged"):
        store.get("small")


def test_thousands_of_objects_are_deleted_in_batches(s3: S3Server, store: S3Store) -> None:
    store.put("0", b"1")
    store.put("2499", b"1")
    with http_faults.before(s3.url) as proxy:
        through = replace(store, settings=replace(store.settings, endpoint_url=proxy.url))
        through.delete(str(number) for number in range(2500))
        assert proxy.methods() == ["POST"] * 3
    assert store.sizes(["0", "2499"]) == [None, None]


def test_a_process_makes_one_client_for_all_its_threads(store: S3Store) -> None:
    connection = Connection(store.settings.endpoint_url, 2, 10.0, 60.0, 300.0)
    with ThreadPoolExecutor(8) as pool:
        assert len({id(one) for one in pool.map(client_of, [connection] * 16)}) == 1


def test_a_server_with_tls_is_held_to_its_certificate(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from local_redshift.testing.certificates import LOOPBACK, Authority

    authority = Authority(tmp_path / "tls")
    certificate, key = authority.sign(*LOOPBACK)
    with running(certificate, key, str(authority.file)) as server:
        store = S3Store(
            S3Settings(bucket=server.bucket_name(), endpoint_url=server.url), max_attempts=1
        )
        use(monkeypatch, server.environ)
        with pytest.raises(PortError, match=r"is not trusted here\. Give its CA as AWS_CA_BUNDLE"):
            store.create()
        gone = str(tmp_path / "gone.pem")
        use(monkeypatch, {**server.environ, "AWS_CA_BUNDLE": gone})
        with pytest.raises(PortError, match=f"file of CAs is not there: {re.escape(gone)}"):
            store.create()
        clear = server.url.replace("https:", "http:")
        with pytest.raises(PortError, match=r"TLS.*write https://"):
            replace(store, settings=replace(store.settings, endpoint_url=clear)).create()
        use(monkeypatch, {**server.environ, "AWS_CA_BUNDLE": server.ca})
        store.create()
        store.put("k", b"1", if_none_match=True)
        (tmp_path / "file").write_bytes(b"2")
        store.upload([("file", tmp_path / "file")])
        assert store.hashes(["file"]) == [hashlib.sha256(b"2").hexdigest()]


def test_a_server_without_tls_is_told_from_a_wrong_certificate(s3: S3Server) -> None:
    url = s3.url.replace("http:", "https:")
    with pytest.raises(PortError, match=r"speaks no TLS\. See its port"):
        S3Store(S3Settings(bucket="shop", endpoint_url=url), max_attempts=1).create()
    bad = ClientError({"Error": {"Code": "400", "Message": "Bad Request"}}, "HeadBucket")
    assert "write https://" in str(s3_error(bad, "reach", Place("s3://b", "b", "", s3.url)))
    assert "https://" not in str(s3_error(bad, "reach", Place("s3://b", "b")))
    newer = SSLError(endpoint_url=url, error="[SSL] record layer failure (_ssl.c:1016)")
    assert "begins with http://" in str(s3_error(newer, "read", Place("s3://b", "b", "", url)))
    cut = SSLError(endpoint_url=url, error="[SSL: UNEXPECTED_EOF_WHILE_READING] EOF occurred")
    text = str(s3_error(cut, "read", Place("s3://b", "b", "", url)))
    assert "broke off" in text
    assert "trusted" not in text


def test_a_token_with_a_line_break_is_in_no_error_and_no_cause(
    s3: S3Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Python's HTTP client quotes the header that it refuses."""
    use(monkeypatch, {**s3.environ, "AWS_SESSION_TOKEN": "needle\n"})
    store = S3Store(S3Settings(bucket="shop", endpoint_url=s3.url), max_attempts=1)
    (tmp_path / "file").write_bytes(b"1")
    works: list[Callable[[], object]] = [
        store.create,
        lambda: store.get("k"),
        lambda: store.put("k", b"1"),
        lambda: store.upload([("k", tmp_path / "file")]),
        lambda: store.sizes(["k", "l"]),
    ]
    for work in works:
        with pytest.raises(PortError, match="AWS's credentials hold a line break") as raised:
            work()
        assert "needle" not in "".join(traceback.format_exception(raised.value))


REMEDIES = {
    ("PutObject", 403, "RequestTimeTooSkewed"): "clock is wrong",
    ("GetObject", 400, "ExpiredToken"): "have expired. Renew",
    ("GetObject", 301, "PermanentRedirect"): "in another region. Set AWS_DEFAULT_REGION",
    ("HeadBucket", 301, "301"): "in another region",
    ("HeadObject", 400, "400"): "expired credentials or another region",
    ("CreateBucket", 409, "BucketAlreadyExists"): "belongs to another account",
    ("PutObject", 503, "SlowDown"): "fewer requests",
    ("PutObject", 500, "InternalError"): "did not manage",
    ("PutObject", 400, "KMS.DisabledException"): "encryption key refuses",
    ("PutObject", 400, "BadDigest"): "altered on the way",
    ("GetObject", 403, "InvalidObjectState"): "archive",
    ("GetObject", 418, "Teapot"): "not expected",
}


@pytest.mark.parametrize("case", REMEDIES, ids=lambda case: case[2])
def test_an_answer_of_s3_is_explained(case: tuple[str, int, str]) -> None:
    from botocore.exceptions import ClientError

    operation, status, code = case
    answer: Any = {
        "Error": {"Code": code, "Message": "No."},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    told = s3_error(ClientError(answer, operation), "do it with", Place("s3://b/k", "b"))
    assert str(told).startswith("cannot do it with s3://b/k: ")
    assert REMEDIES[case] in str(told)


def test_a_denial_by_the_key_names_the_rights_on_the_key() -> None:
    from botocore.exceptions import ClientError

    said = "User: arn:aws:iam::1:user/u is not authorized to perform: kms:GenerateDataKey on resource: r"
    answer: Any = {"Error": {"Code": "AccessDenied", "Message": said}}
    told = s3_error(ClientError(answer, "PutObject"), "write", Place("s3://b/k", "b"))
    assert "Allow kms:GenerateDataKey and kms:Decrypt on it" in str(told)


def test_the_local_redshift_fetches_a_part_by_one_request_and_misses_one_that_is_gone(
    s3: S3Server, store: S3Store
) -> None:
    store.put("part", b"rows")
    with http_faults.before(s3.url) as proxy, ExitStack() as stack:
        through = replace(store, settings=replace(store.settings, endpoint_url=proxy.url))
        reach = resolver(through, stack)
        assert Path(reach.local_path(store.url("part"))).read_bytes() == b"rows"
        assert proxy.methods() == ["GET"]
        with pytest.raises(FileNotFoundError, match="gone"):
            reach.local_path(store.url("gone"))
