"""The table of signatures: each is recognised by its examples, has a cure, and advises nothing dangerous."""

from __future__ import annotations

import re

import pytest

from orderhe_dagster.doctor.explain import explain, explain_symptom, recognised
from orderhe_dagster.doctor.signature import Example, Explanation, Signature
from orderhe_dagster.doctor.signatures.table import BY_NAME, SIGNATURES
from orderhe_dagster.ports.errors import PortError, Symptom
from orderhe_dagster_tests.doctor_page import PAGE, page

EXAMPLES = [(one, example) for one in SIGNATURES for example in one.examples]


def symptom(signature: Signature, example: Example) -> Symptom:
    return Symptom(signature.system, example.text, example.code, example.facts)


@pytest.mark.parametrize(
    ("signature", "example"),
    EXAMPLES,
    ids=[f"{one.name}-{n}" for n, (one, _) in enumerate(EXAMPLES)],
)
def test_an_example_is_recognised_as_its_own(signature: Signature, example: Example) -> None:
    assert example.source
    found, _ = recognised(symptom(signature, example))
    assert found is not None
    assert found.name == signature.name


ROWS = {
    # 3.1 MySQL
    "2003 timed out": "mysql-no-inbound-rule",
    "2003 refused": "mysql-nothing-listens",
    "2003 name": "mysql-host-unknown",
    "2003 certificate": "mysql-ca-missing",
    "2003 certificate of another name": "mysql-name-differs",
    "2026": "mysql-without-tls",
    "2013 at connect": "mysql-hung-up",
    "silent at connect": "mysql-silent",
    "1045": "mysql-login",
    "1045 without a password": "mysql-no-password",
    "1044": "mysql-no-right-to-database",
    "1142": "mysql-no-right-to-table",
    "1049": "mysql-no-database",
    "1130": "mysql-host-not-allowed",
    "1129": "mysql-host-blocked",
    "1040": "mysql-too-many-connections",
    "1203, 1226": "mysql-user-limit",
    "3159": "mysql-wants-tls",
    "2059": "mysql-login-method",
    "1290, 1792": "mysql-read-only",
    "3024": "mysql-time-limit",
    "1205, 1213": "mysql-lock",
    # 3.2 Redshift
    "time out": "redshift-not-reachable",
    "refused": "redshift-nothing-listens",
    "gaierror": "redshift-host-unknown",
    "refuses SSL": "redshift-without-tls",
    "certificate": "redshift-certificate",
    "28000": "redshift-login",
    "3D000": "redshift-no-database",
    "53300": "redshift-too-many-connections",
    "57014": "redshift-cancelled",
    "42501": "redshift-permission-denied",
    "42P01": "redshift-no-relation",
    "usage limit": "redshift-usage-limit",
    "GetCredentials": "redshift-iam-may-not",
    "bare TimeoutError": "redshift-stands-still",
    # 3.3 COPY and UNLOAD
    "AccessDenied": "copy-denied",
    "misleading denial": "copy-manifest-denied",
    "NoSuchBucket": "copy-no-bucket",
    "NoSuchKey, prefix": "copy-no-object",
    "301": "copy-other-region",
    "REGION": "copy-region-argument",
    "kms": "copy-kms",
    "138": "role-not-attached",
    "135": "role-not-trusted",
    "8001 assume": "role-not-assumable",
    "ASSUMEROLE": "role-not-granted",
    "15007": "copy-types-differ",
    "15007 columns": "copy-columns-differ",
    "too long": "copy-text-too-long",
    "content_length": "copy-manifest-stale",
    "503": "copy-slow-down",
    "Fetch": "copy-fetch",
    "UNLOAD not empty": "unload-not-empty",
    # the classic mistakes beside them
    "pymysql at a Redshift": "mysql-is-a-redshift",
    "Redshift's driver at a MySQL": "redshift-is-a-mysql",
    "a private endpoint from outside": "redshift-private-address",
    "a private instance from outside": "mysql-private-address",
    "another region": "region-differs",
}


def test_every_row_of_the_tables_has_a_signature() -> None:
    assert [row for row, name in ROWS.items() if name not in BY_NAME] == []
    assert len(SIGNATURES) >= 60
    assert len(BY_NAME) == len(SIGNATURES)


@pytest.mark.parametrize("signature", SIGNATURES, ids=lambda one: one.name)
def test_a_signature_says_all_of_it(signature: Signature) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", signature.name)
    for text in (signature.title, signature.cause, signature.how, signature.command):
        assert text.strip()
    assert signature.kind in ("sh", "sql", "env")
    assert signature.pattern or signature.codes
    assert signature.examples


def test_another_way_is_told_with_one_or() -> None:
    for text in ("or wait", "wait"):
        assert "or:   wait" in Explanation("n", "t", "c", "h", "x", "sh", text).lines()


@pytest.mark.parametrize(
    ("signature", "example"),
    EXAMPLES,
    ids=[f"{one.name}-{n}" for n, (one, _) in enumerate(EXAMPLES)],
)
def test_no_cure_is_worse_than_the_illness(signature: Signature, example: Example) -> None:
    why = explain_symptom(symptom(signature, example))
    assert why is not None
    advised = f"{why.command}\n{why.console}"
    assert not re.search(r"authorize-security-group-ingress.*(0\.0\.0\.0/0|::/0)", advised)
    assert "AmazonS3ReadOnlyAccess" not in advised
    assert "AmazonS3FullAccess" not in advised
    assert not re.search(r"SSLMODE=disable|sslmode=disable|ssl_disabled|verify=False", advised)
    assert '"Action":"*"' not in advised
    # The owner's own statements have no other resource.
    assert '"Resource":"*"' not in advised.replace('"Resource":"*","Condition"', "")
    assert "{" not in re.sub(r"'\[?\{\"\w.*\}\]?'", "", advised), "a fact was not filled in"


def test_the_page_is_the_table() -> None:
    written = page()
    assert PAGE.read_text("utf-8") == written, "run `make signatures`"
    for signature in SIGNATURES:
        assert f'<a id="{signature.name}"></a>' in written


def test_an_error_is_explained_by_what_it_came_from() -> None:
    inner = PortError("COPY failed")
    inner.symptom = symptom(BY_NAME["copy-denied"], BY_NAME["copy-denied"].examples[0])
    outer = PortError("orders was not loaded")
    outer.__cause__ = inner
    why = explain(outer)
    assert why is not None
    assert why.name == "copy-denied"
    assert explain(PortError("something")) is None
    assert explain(ValueError("timed out")) is None


def test_facts_cannot_break_out_of_a_command() -> None:
    facts = {"host": "h; rm -rf ~", "port": "3306", "user": "o'brien", "database": "shop"}
    why = explain_symptom(Symptom("mysql", "no (timed out) (2003)", "2003", facts))
    assert why is not None
    assert "'h; rm -rf ~'" in why.command
    granted = explain_symptom(Symptom("mysql", "denied (1044)", "1044", facts))
    assert granted is not None
    assert "to 'o''brien'@'%'" in granted.command


ONLY_AWS_SAYS = {
    "copy-denied-outright",
    *(
        "copy-kms",
        "copy-fetch",
        "copy-other-region",
        "redshift-usage-limit",
        "copy-region-argument",
    ),
    *(one.name for one in SIGNATURES if one.codes in (("IAM",), ("DATA",))),
}
"""What no server of one's own says."""


@pytest.mark.parametrize("host", ["127.0.0.1", "db.shop.example", "192.168.7.8"])
def test_a_server_of_ones_own_is_not_mended_at_aws(host: str) -> None:
    """Nor is a tunnel's end, nor the local Redshift."""
    seen = set()
    for one, example in EXAMPLES:
        facts = {**example.facts, "host": host, "workgroup": "", "role": "default"}
        if one.system not in ("mysql", "redshift") or one.name in ONLY_AWS_SAYS:
            continue
        why = explain_symptom(Symptom(one.system, example.text, example.code, facts))
        if why is not None and why.name == one.name:
            seen.add(one.name)
            assert not re.search(r"\baws [a-z]", why.command + why.console), why.text()
            assert not re.search(r"<(instance|region|workgroup|namespace)>", why.command), (
                why.text()
            )
    assert len(seen) > 50


def test_a_store_of_ones_own_is_not_mended_at_iam() -> None:
    for one, example in EXAMPLES:
        facts = {**example.facts, "endpoint": "http://minio.example:9000"}
        why = explain_symptom(Symptom("s3", example.text, example.code, facts))
        if one.system != "s3" or why is None:
            continue
        assert not re.search(r"\baws (iam|kms|organizations)\b", why.command), why.text()
        for line in why.command.splitlines():
            if line.startswith("aws s3api "):
                assert "--endpoint-url http://minio.example:9000" in line


def test_a_fix_with_serverless_commands_is_not_a_clusters() -> None:
    host = "shop.abc123.eu-west-1.redshift.amazonaws.com"
    for name in ("redshift-nothing-listens", "redshift-stands-still", "redshift-lost"):
        one = BY_NAME[name]
        facts = {**one.examples[0].facts, "host": host}
        why = explain_symptom(Symptom("redshift", one.examples[0].text, "", facts))
        assert why is not None
        assert "aws redshift describe-clusters --region eu-west-1 --cluster-identifier shop " in (
            why.command
        )


@pytest.mark.parametrize(
    ("kind", "command"),
    [
        ("a service control policy", "aws organizations list-policies-for-target"),
        ("a permissions boundary", "aws iam get-user"),
        ("an identity-based policy", "aws iam list-attached-user-policies"),
        ("a VPC endpoint policy", "aws ec2 describe-vpc-endpoints"),
        ("a resource-based policy", "aws s3api get-bucket-policy"),
    ],
)
def test_a_denial_is_looked_for_where_it_is_said_to_stand(kind: str, command: str) -> None:
    said = f"AccessDenied: not authorized to perform: s3:PutObject with an explicit deny in {kind}"
    why = explain_symptom(Symptom("s3", said, "AccessDenied", {"bucket": "shop-backup"}))
    assert why is not None
    assert why.name == "s3-denied-outright"
    assert why.command.startswith(command)
    role = {"bucket": "shop-backup", "role": "arn:aws:iam::123456789012:role/shop-copy"}
    why = explain_symptom(Symptom("redshift", said, "XX000", role))
    assert why is not None
    assert why.name == "copy-denied-outright"
    assert why.command.startswith(command.replace("user", "role")), "of the role, not of the caller"


def test_what_a_redshift_is_is_known_by_more_than_a_port() -> None:
    def name(system: str, said: str, code: str, **facts: str) -> str:
        why = explain_symptom(Symptom(system, said, code, {**facts, "connecting": "yes"}))
        assert why is not None
        return why.name

    timed_out, refused = "no (timed out) (2003)", "no ([Errno 111] Connection refused) (2003)"
    waits = "(it takes connections, but its greeting was not complete within 2 s) (2003)"
    own = {"host": "db.shop.example", "port": "5439"}
    assert name("mysql", timed_out, "2003", **own) == "mysql-timed-out"
    assert name("mysql", refused, "2003", **own) == "mysql-nothing-listens"
    assert name("mysql", waits, "2003", **own) == "mysql-is-a-redshift"
    assert name("mysql", waits, "2003", **own, greets="nobody") == "mysql-silent"
    assert name("mysql", waits, "2003", **{**own, "port": "7"}, greets="redshift") == (
        "mysql-is-a-redshift"
    )
    assert name("mysql", waits, "2003", **{**own, "port": "5440"}) == "mysql-silent"
    redshift = "shop.123456789012.eu-west-1.redshift-serverless.amazonaws.com"
    assert name("mysql", timed_out, "2003", host=redshift, port="5439") == "mysql-is-a-redshift"
    own["port"] = "3306"
    assert name("redshift", "connection time out; timed out", "", **own) == "redshift-timed-out"
    assert name("redshift", "Server refuses SSL", "", **own) == "redshift-is-a-mysql"


def test_policies_for_other_places_have_other_names() -> None:
    names = set()
    for bucket, prefix in (
        ("a", ""),
        ("b", ""),
        ("a", "x"),
        ("a", "x/y"),
        ("a", "x+y"),
        ("a", "x y"),
    ):
        facts = {"bucket": bucket, "prefix": prefix, "role": "arn:aws:iam::123456789012:role/r"}
        why = explain_symptom(Symptom("redshift", "Access Denied", "XX000", facts))
        assert why is not None
        (policy,) = re.findall(r"--policy-name (\S+) ", why.command)
        assert re.fullmatch(r"[\w+=,.@-]{1,128}", policy)
        names.add(policy)
    assert len(names) == 6


def test_what_is_not_known_is_found_by_the_shell_or_shown_as_a_gap() -> None:
    unknown = explain_symptom(
        Symptom("mysql", "(timed out) (2003)", "2003", {"host": "db.example"})
    )
    assert unknown is not None
    assert "<port>" in unknown.command
    host = "shop.abc123def456.eu-west-1.rds.amazonaws.com"
    known = explain_symptom(
        Symptom("mysql", "(timed out) (2003)", "2003", {"host": host, "port": "3306"})
    )
    assert known is not None
    assert "$(aws rds describe-db-instances --region eu-west-1" in known.command
    assert "<" not in known.command


def test_a_fix_in_sql_has_nothing_of_the_shell_in_it() -> None:
    """Whose the default role is, the shell asks AWS; a database knows no `$(…)`."""
    facts = {"role": "default", "workgroup": "shop", "user": "loader"}
    said = "must have ASSUMEROLE privilege on default"
    why = explain_symptom(Symptom("redshift", said, "42501", facts))
    assert why is not None
    assert why.command == "grant assumerole on default to loader for copy, unload;"


def test_a_refusal_with_tls_on_is_not_told_to_switch_it_on() -> None:
    said = 'no pg_hba.conf entry for host "10.0.0.7", user "loader", database "dev", SSL on'
    why = explain_symptom(
        Symptom("redshift", said, "28000", {"host": "10.0.0.1", "connecting": "yes"})
    )
    assert why is not None
    assert why.name == "redshift-login"


def test_the_fix_is_for_the_kind_of_place_that_it_is() -> None:
    def name(system: str, said: str, code: str, **facts: str) -> str:
        why = explain_symptom(Symptom(system, said, code, {**facts, "connecting": "yes"}))
        assert why is not None
        return why.name

    cluster = "shop.abc123.eu-west-1.redshift.amazonaws.com"
    said = "connection time out; timed out"
    assert name("redshift", said, "", host=cluster, address="10.0.0.3") == "redshift-timed-out"
    instance = "shop.abc123def456.eu-west-1.rds.amazonaws.com"
    said = f"Can't connect to MySQL server on '{instance}' (timed out) (2003)"
    assert name("mysql", said, "2003", host=instance, port="5433") == "mysql-no-inbound-rule"
