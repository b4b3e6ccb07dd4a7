"""The road to Redshift: name, port, TLS, login, COPY of a probe, marts, and what AWS says of the role.

What sends a statement is looked at only where that is asked for: a minute of Redshift Serverless is billed.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

from orderhe_dagster.catalog import ddl
from orderhe_dagster.catalog.table import Table
from orderhe_dagster.doctor.explain import explain, of_name
from orderhe_dagster.doctor.network import Place, checks, not_known, of_aws, ways_in
from orderhe_dagster.doctor.policies import (
    BOUNDARY,
    SERVICES,
    Verdict,
    evaluate,
    trusted,
    trusting,
    widened,
)
from orderhe_dagster.doctor.probe import Probe
from orderhe_dagster.doctor.signature import Explanation
from orderhe_dagster.doctor.store_road import PROBES, removed
from orderhe_dagster.doctor.walk import Check, Found, Road, failed, ok, skipped
from orderhe_dagster.errors import counted
from orderhe_dagster.ports.cloud import Cloud, Document, Role, Untold, Workgroup
from orderhe_dagster.ports.errors import StatementError
from orderhe_dagster.ports.store import Store
from orderhe_dagster.ports.warehouse import Session, Warehouse
from orderhe_dagster.settings.config import RedshiftSettings, Settings

NAME = "Redshift"
_STAGE = "_orderhe_doctor"
_OF_KEY = ("kms:Decrypt", "kms:GenerateDataKey")
_NOT_THERE = ("42P01", "3F000")
_LABEL = "orderhe doctor"


def warehouse_road(
    settings: Settings,
    store: Store,
    warehouse: Warehouse,
    marts: Sequence[Table],
    cloud: Cloud,
    probe: Probe,
    *,
    asks: bool,
) -> Road:
    """The checks of a Redshift, in their order. `asks`: statements may be sent to it."""
    given, by_requests = settings.redshift, settings.warehouse == "data_api"
    role = given.iam_role
    host, port = ("", given.port) if by_requests else (given.host, given.port)
    if by_requests and given.endpoint_url:  # a server of one's own, which is reached as any other
        host, port = _of_url(given.endpoint_url)
    facts = {
        "host": host,
        "port": str(port),
        "data_endpoint": given.endpoint_url if by_requests else "",
        "user": given.user,
        "database": given.database,
        "workgroup": given.workgroup,
        "cluster": given.cluster,
        "role": role,
        "bucket": settings.s3.bucket if settings.store == "s3" else "",
        "prefix": settings.s3.prefix,
    }
    place = Place("redshift", facts, given.connect_timeout, probe)
    aws = _Aws(place, cloud, given, by_requests)

    def said(look: Callable[[], Found]) -> Callable[[], Found]:
        if asks:
            return look
        return lambda: Found("not asked", "orderhe doctor --sql asks (Serverless bills a minute)")

    return Road(
        NAME,
        [
            *checks(place),
            Check("TLS", lambda: _tls(warehouse, given, by_requests)),
            Check("login", said(lambda: _login(warehouse, given))),
            Check("COPY", said(lambda: copied(store, warehouse))),
            Check("marts", said(lambda: read_marts(warehouse, marts)), needs=("login",)),
            Check("way in (AWS)", aws.way_in, needs=()),
            Check("role's trust (AWS)", aws.trust, needs=()),
            Check("role attached (AWS)", aws.attached, needs=()),
            Check("role's rights (AWS)", lambda: aws.rights(settings), needs=()),
            Check("region (AWS)", lambda: aws.region(settings), needs=()),
            Check("usage limit (AWS)", aws.usage_limit, needs=()),
        ],
    )


def local_road(warehouse: Warehouse, file: Path, marts: Sequence[Table]) -> Road:
    """The checks of a warehouse that is a file of this machine."""

    def opens() -> Found:
        if not file.exists():
            return Found("skipped", "there is none yet: `orderhe create` makes it", stops=True)
        with warehouse.session(_LABEL, read_only=True) as session:
            session.execute("select 1")
        return ok(warehouse.identity)

    return Road(
        "warehouse",
        [Check("opens", opens), Check("marts", lambda: read_marts(warehouse, marts))],
    )


def _of_url(url: str) -> tuple[str, int]:
    """Host and port of a server's address."""
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)


def _tls(warehouse: Warehouse, settings: RedshiftSettings, by_requests: bool) -> Found:
    if by_requests:
        return skipped("a request shows it")
    spoken = warehouse.knock()
    if settings.sslmode == "disable":
        return ok("not asked for (ORDERHE_REDSHIFT_SSLMODE): what is sent can be read on the way")
    return ok(f"verified ({settings.sslmode}), {spoken}") if spoken else skipped("no host is set")


def _login(warehouse: Warehouse, settings: RedshiftSettings) -> Found:
    with warehouse.session(_LABEL, read_only=True) as session:
        user = session.execute("select current_user").scalar()
    return ok(f"{user}, database {settings.database}")


def copied(store: Store, warehouse: Warehouse) -> Found:
    """COPY of a Parquet file of one row, as a load does it; object and table are removed again."""
    key = f"{PROBES}/{secrets.token_hex(8)}/probe.parquet"
    store.put(key, _parquet())
    with ExitStack() as stack:
        left: list[str] = []
        stack.callback(lambda: left.append(removed(store, key)))
        with warehouse.session(_LABEL) as session:
            session.execute(f"create temp table {_STAGE} (n integer)")
            address = ddl.string(store.url(key))
            try:
                session.execute(
                    f"copy {_STAGE} (n) from {address} {warehouse.copy_authorization} format as parquet"
                )
            except StatementError as error:
                why = explain(error)
                if why is None or why.name not in ("copy-no-object", "copy-no-bucket"):
                    raise
                where = store.url(PROBES).removesuffix(f"/{PROBES}")
                text = f"just written, and not there for Redshift: {store.url(key)}"
                return failed(text, of_name("copy-other-store", {"store": where}))
            count = session.execute(f"select count(*) from {_STAGE}").scalar()
            session.execute(f"drop table {_STAGE}")
    if count != 1:
        return Found("failed", f"a file of one row came as {counted(int(count), 'row')}")
    return ok(f"a file of one row came by {warehouse.copy_authorization}")


def _parquet() -> bytes:
    import io

    import pyarrow as pa
    import pyarrow.parquet as pq

    out = io.BytesIO()
    pq.write_table(pa.table({"n": pa.array([1], pa.int32())}), out)
    return out.getvalue()


def read_marts(warehouse: Warehouse, marts: Sequence[Table]) -> Found:
    """Whether each mart can be read; no row is."""
    unbuilt, why = [], dict[str, Explanation | None]()
    with warehouse.session(_LABEL, read_only=True) as session:
        for mart in marts:
            error = _unread(session, mart)
            if error is not None and error.code in _NOT_THERE:
                unbuilt.append(mart.name)
            elif error is not None:
                why[str(error)] = explain(error)
    if why:
        return failed("; ".join(why), *why.values())
    if unbuilt:
        return skipped(f"not built yet: {', '.join(unbuilt[:4])}: orderhe run '*'")
    return ok(f"{counted(len(marts), 'mart')} can be read")


def _unread(session: Session, mart: Table) -> StatementError | None:
    try:
        session.execute(f"select * from {ddl.qualified(mart.ref)} limit 0")
    except StatementError as error:
        return error
    return None


class _Aws:
    """What AWS says of workgroup, namespace and role; each look is unknown where it does not."""

    def __init__(
        self, place: Place, cloud: Cloud, settings: RedshiftSettings, by_requests: bool
    ) -> None:
        self._place, self._cloud, self._settings = place, cloud, settings
        self._by_requests = (
            by_requests  # the Data API's, which go to AWS, not to the workgroup's port
        )

    @property
    def _facts(self) -> dict[str, str]:
        return self._place.known

    @property
    def _is_elsewhere(self) -> bool:
        """Whether the host is none of Serverless's."""
        return bool(self._place.host) and self._facts.get("endpoint_kind") != "serverless"

    def _workgroup(self, region: str) -> Workgroup | None:
        name = self._facts.get("workgroup", "")
        found = self._cloud.workgroup(name, region) if name else None
        if found is not None:
            self._place.learnt["namespace"] = found.namespace
            self._place.learnt["workgroup_arn"] = found.arn
            if found.groups:
                self._place.learnt["security_group"] = found.groups[0]
        return found

    def _serverless(self, look: Callable[[Workgroup, str], Found]) -> Found:
        """A look at the workgroup, where it is one of Serverless's and AWS knows it."""
        kinds = ("serverless",)
        if self._by_requests and self._settings.endpoint_url:
            return skipped("the Data API is not Amazon's")

        def found(region: str) -> Found:
            workgroup = self._workgroup(region)
            if workgroup is None:
                return not_known(self._place, self._facts.get("workgroup", ""), region)
            return look(workgroup, region)

        if not self._place.host and self._settings.workgroup:
            return found(self._facts.get("region", ""))
        return of_aws(self._place, found, kinds)

    def way_in(self) -> Found:
        """Whether a machine outside reaches the workgroup."""

        def look(workgroup: Workgroup, region: str) -> Found:
            facts = {**self._facts, "status": workgroup.status}
            why = []
            if workgroup.status in ("CREATING", "MODIFYING", "DELETING"):
                why.append(of_name("workgroup-not-available", facts))
            if self._by_requests and not why:
                return ok(f"{workgroup.name} is {workgroup.status}; the Data API needs no way in")
            if self._by_requests:
                return failed("; ".join(one.title for one in why), *why)
            if not workgroup.is_public and not self._place.is_open:
                why.append(of_name("workgroup-not-public", facts))
            reasons, unsure = ways_in(
                self._place, self._cloud, workgroup.groups, workgroup.subnets, facts
            )
            why += reasons
            if why:
                return failed("; ".join(one.title for one in why), *why)
            if unsure:
                return Found("unknown", unsure)
            public = "public" if workgroup.is_public else "not public"
            return ok(f"{workgroup.name} is {workgroup.status}, {public}, and lets this machine in")

        return self._serverless(look)

    def _role_arn(self) -> str:
        """The role that COPY reads by: the settings', or the namespace's default."""
        if self._settings.iam_role != "default":
            return self._settings.iam_role
        if "namespace" not in self._place.learnt and not self._is_elsewhere:
            self._workgroup(self._facts.get("region", ""))
        name = self._place.learnt.get("namespace")
        if not name:
            return ""
        namespace = self._cloud.namespace(name, self._facts.get("region", ""))
        return namespace.default_role if namespace else ""

    def _with_role(self, look: Callable[[str, dict[str, str]], Found]) -> Found:
        arn = self._role_arn()
        if not arn:
            return skipped("ORDERHE_REDSHIFT_IAM_ROLE is default, and whose that is was not told")
        return look(arn, completed_with(self._facts, arn))

    def _no_role(self, arn: str, facts: dict[str, str]) -> Found:
        """For a role that AWS does not know: of another account's, who asks here cannot know."""
        try:
            account = self._cloud.caller().split(":")[4]
        except (Untold, IndexError):
            account = ""
        if account and f":{account}:" not in arn:
            return Found("unknown", f"{arn} is not of {account}, the account that was asked")
        return failed(f"no such role: {arn}", of_name("no-such-role", facts))

    def trust(self) -> Found:
        """Whether both of Redshift's services may assume the role."""

        def look(arn: str, facts: dict[str, str]) -> Found:
            role = self._cloud.role(arn)
            if role is None:
                return self._no_role(arn, facts)
            answers = trusted(role.trust)
            lacking = [service for service in SERVICES if answers[service] != "allowed"]
            unsure = [service for service in lacking if answers[service] == "depends"]
            if lacking and lacking == unsure:
                return Found("unknown", f"the trust of {', '.join(unsure)} depends on conditions")
            if lacking:
                names = ", ".join(lacking)
                whole = json.dumps(trusting(role.trust, lacking), separators=(",", ":"))
                more = {"services": names, "policy_document": whole}
                why = of_name("trust-lacks-a-service", {**facts, **more})
                return failed(f"{role.name} does not trust {names}", why)
            return ok(f"{role.name} trusts {' and '.join(SERVICES)}")

        return self._with_role(look)

    def attached(self) -> Found:
        """Whether the namespace has the role, in sync."""

        def look(workgroup: Workgroup, region: str) -> Found:
            namespace = self._cloud.namespace(workgroup.namespace, region)
            arn = self._role_arn()
            if namespace is None or not arn:
                why = of_name("role-no-default", self._facts)
                return failed("the namespace has no default role", why)
            others = " ".join(one for one in namespace.roles if one != arn)
            facts = completed_with(self._facts, arn)
            facts["attached_roles"] = f"{others} " if others else ""
            status = namespace.roles.get(arn)
            if status is None:
                why = of_name("role-not-in-namespace", facts)
                return failed(f"{arn} is not among the roles of {namespace.name}", why)
            if status != "in-sync":
                return Found("failed", f"{arn} is {status}: wait a minute, and look again")
            return ok(f"{arn} is in sync")

        return self._serverless(look)

    def rights(self, settings: Settings) -> Found:
        """Whether the role's policies allow what COPY and UNLOAD do."""
        if settings.store != "s3":
            return skipped("the store is a folder")

        def look(arn: str, facts: dict[str, str]) -> Found:
            role = self._cloud.role(arn)
            if role is None:
                return self._no_role(arn, facts)
            bucket, objects = facts["bucket_arn"], facts["objects_arn"]
            wanted = {
                "s3:ListBucket": bucket,
                "s3:GetBucketLocation": bucket,
                "s3:GetObject": f"{objects}{PROBES}/probe.parquet",
                "s3:PutObject": f"{objects}unload/x/0000_part_00.parquet",
            }
            if settings.s3.kms_key_id.startswith("arn:"):
                facts["kms_key_arn"] = settings.s3.kms_key_id
                wanted |= dict.fromkeys(_OF_KEY, settings.s3.kms_key_id)
            return judged(role, wanted, facts)

        return self._with_role(look)

    def region(self, settings: Settings) -> Found:
        """Whether bucket and workgroup lie in one region."""
        if settings.store != "s3" or settings.s3.endpoint_url:
            return skipped("the store is not Amazon's S3")

        def look(region: str) -> Found:
            lies_in = self._cloud.bucket_region(settings.s3.bucket)
            if lies_in is None:
                facts = self._facts
                return failed(f"no bucket {settings.s3.bucket}", of_name("s3-no-bucket", facts))
            if lies_in != region:
                facts = {**self._facts, "bucket_region": lies_in}
                return failed(f"bucket is in {lies_in}", of_name("region-differs", facts))
            return ok(f"both in {region}")

        return of_aws(self._place, look, ("serverless", "cluster"))

    def usage_limit(self) -> Found:
        """Whether something stops the bill."""

        def look(workgroup: Workgroup, region: str) -> Found:
            count = self._cloud.usage_limits(workgroup.arn, region)
            if not count:
                return failed("there is none", of_name("no-usage-limit", self._facts))
            base = f"; base capacity {workgroup.base_rpu} RPU" if workgroup.base_rpu else ""
            advice = (
                ", of which each hour is dear: 4 to 8 are enough"
                if workgroup.base_rpu >= 128
                else ""
            )
            return ok(f"{counted(count, 'limit')}{base}{advice}")

        return self._serverless(look)


def judged(role: Role, wanted: Mapping[str, str], facts: dict[str, str]) -> Found:
    """What a role's policies and its boundary say of the actions that are wanted, each on its resource."""
    prefix = facts.get("prefix", "")
    context = {"s3:prefix": f"{prefix}/{PROBES}/" if prefix else f"{PROBES}/"}

    def answers(policies: Mapping[str, Document]) -> dict[str, Verdict]:
        return {
            action: evaluate(policies, action, resource, context=context)
            for action, resource in wanted.items()
        }

    own = answers(role.policies)
    bound = answers({BOUNDARY: role.boundary}) if role.boundary is not None else {}
    why = [*_of_policies(own, facts), *_of_boundary(role, bound, wanted, facts)]
    if why:
        return failed("; ".join(one.cause for one in why), *why)
    unsure = [
        action for some in (own, bound) for action in some if some[action].answer == "depends"
    ]
    if unsure:
        return Found("unknown", f"depends on conditions: {', '.join(dict.fromkeys(unsure))}")
    return ok(f"{role.name}'s policies allow {', '.join(wanted)}")


def _of_policies(verdicts: Mapping[str, Verdict], facts: dict[str, str]) -> list[Explanation]:
    """What of the role's own policies stands in the way."""
    why = []
    for action, verdict in verdicts.items():
        if verdict.answer == "denied":
            of_it = "policy_arn" if verdict.policy.startswith("arn:") else "policy_name"
            more = {of_it: verdict.policy, "statement": verdict.statement, "actions": action}
            why.append(of_name("role-is-denied", {**facts, **more}))
    lacking = [action for action, verdict in verdicts.items() if verdict.answer == "not allowed"]
    of_bucket = [action for action in lacking if action not in _OF_KEY]
    if of_bucket:
        why.append(of_name("role-lacks-rights", {**facts, "actions": ", ".join(of_bucket)}))
    if len(of_bucket) < len(lacking):
        why.append(of_name("copy-kms", facts))
    return why


def _of_boundary(
    role: Role, verdicts: Mapping[str, Verdict], wanted: Mapping[str, str], facts: dict[str, str]
) -> list[Explanation]:
    """What of the role's permissions boundary stands in the way: no policy of the role's mends that."""
    of_it = {**facts, "policy_arn": role.boundary_arn}
    why = [
        of_name("role-bound-denies", {**of_it, "statement": verdict.statement, "actions": action})
        for action, verdict in verdicts.items()
        if verdict.answer == "denied"
    ]
    lacking = [action for action, verdict in verdicts.items() if verdict.answer == "not allowed"]
    if lacking and role.boundary is not None:
        missing = {action: _at_large(wanted[action], facts) for action in lacking}
        document = json.dumps(widened(role.boundary, missing), separators=(",", ":"))
        more = {"actions": ", ".join(lacking), "policy_document": document}
        why.append(of_name("role-is-bounded", {**of_it, **more}))
    return why


def _at_large(resource: str, facts: Mapping[str, str]) -> str:
    """The objects that a right is needed on, where one of them was asked after."""
    objects = facts["objects_arn"]
    layer = resource.removeprefix(objects).partition("/")[0]
    return f"{objects}{layer}/*" if resource.startswith(objects) else resource


def completed_with(facts: dict[str, str], role: str) -> dict[str, str]:
    """The facts of a role whose ARN is known now."""
    name = role.rpartition("/")[2]
    return {**facts, "role": role, "role_text": role, "role_name": name}
