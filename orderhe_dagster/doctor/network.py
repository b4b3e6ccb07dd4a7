"""The first steps to a server: its name, its port, and the way there as AWS has it. No login."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from ipaddress import ip_address, ip_network
from typing import Any

from orderhe_dagster.doctor.explain import explain_symptom, of_name
from orderhe_dagster.doctor.facts import completed, is_private
from orderhe_dagster.doctor.probe import Probe
from orderhe_dagster.doctor.signature import Explanation
from orderhe_dagster.doctor.walk import Check, Found, failed, ok, skipped
from orderhe_dagster.ports.cloud import Cloud, Rule, Untold
from orderhe_dagster.ports.errors import Symptom

_EVERYBODY = {"0.0.0.0/0", "::/0"}


@dataclass
class Place:
    """A server on the road: `facts` are what the settings say of it, and what is learnt on the way."""

    system: str
    facts: dict[str, str]
    within_s: float
    probe: Probe
    learnt: dict[str, str] = field(default_factory=dict)

    @property
    def known(self) -> dict[str, str]:
        """All facts, and what follows from them."""
        return completed({**self.facts, **self.learnt, "connecting": "yes"})

    @property
    def is_open(self) -> bool:
        """Whether its port opened to this machine: then nothing is in the way, whatever AWS shows."""
        return "opened" in self.learnt

    @property
    def host(self) -> str:
        """Its name or address."""
        return self.facts.get("host", "")

    @property
    def port(self) -> int:
        """Its port."""
        return int(self.facts.get("port", "0"))

    def explained(self, said: str, code: str = "") -> Explanation | None:
        """Why, by what the machine said."""
        return explain_symptom(Symptom(self.system, said, code, self.known))


def checks(place: Place) -> list[Check]:
    """Name and port."""
    return [Check("DNS", lambda: _name(place)), Check("TCP", lambda: _port(place))]


def _name(place: Place) -> Found:
    if not place.host:
        return skipped("no host is set: AWS is asked for it")
    try:
        addresses = place.probe.resolve(place.host, place.port)
    except (OSError, UnicodeError) as error:  # a label that is empty, or too long
        said = _said(place, error)
        return failed(said, place.explained(said, _code(place)), stops=True)
    place.learnt["address"] = addresses[0]
    shown = ", ".join(addresses[:3])
    return ok(f"{place.host} is {shown}" if shown != place.host else f"{shown} is an address")


def _port(place: Place) -> Found:
    if not place.host:
        return skipped("no host is set: AWS is asked for it")
    try:
        place.probe.reach(place.host, place.port, place.within_s)
    except OSError as error:
        said = _said(place, error)
        return failed(said, place.explained(said, _code(place)), stops=True)
    place.learnt["opened"] = "yes"
    return ok(f"port {place.port} opens")


def _code(place: Place) -> str:
    return "2003" if place.system == "mysql" else ""


def _said(place: Place, error: OSError | UnicodeError) -> str:
    """The machine's words, as the drivers have them."""
    words = str(error) or type(error).__name__
    if isinstance(error, UnicodeError):
        words = "[Errno -2] Name or service not known: a part of it is empty, or too long"
    if place.system == "mysql":
        return f"Can't connect to MySQL server on '{place.host}' ({words}) (2003)"
    begins = "connection time out" if isinstance(error, TimeoutError) else "communication error"
    return f"{begins}; {words}"


# -- what AWS says of the way -----------------------------------------------------------------------


def ways_in(
    place: Place,
    cloud: Cloud,
    groups: Sequence[str],
    subnets: Sequence[str],
    learnt: Mapping[str, str],
) -> tuple[list[Explanation], str]:
    """What of groups and routes keeps this machine out, or lets everybody in; and what could not be told.

    A machine that the port opens to is not kept out: it may be inside of the network. Untold where AWS is
    silent.
    """
    region, port = place.known.get("region", ""), place.port
    facts = {**place.known, **learnt}
    reasons: list[Explanation] = []
    without = [] if place.is_open else cloud.without_gateway(subnets, region)
    if without:
        reasons.append(of_name("no-route-to-internet", {**facts, "subnets": ", ".join(without)}))
    rules = cloud.rules(groups, region)
    open_to_all = {
        group: opened for group, some in rules.items() if (opened := _opened(some, port))
    }
    reasons += [
        of_name("group-open-to-all", {**facts, "security_group": group, **_revoked(opened)})
        for group, opened in open_to_all.items()
    ]
    if not groups or open_to_all or place.is_open:
        return reasons, ""
    covering = [rule for some in rules.values() for rule in some if rule.covers(port)]
    is_let_in, unsure = _lets_in(place, cloud, covering, region)
    if is_let_in is False:
        mine = _my_address(cloud)
        more = {"security_group": groups[0], "my_address": mine, "port": str(port)}
        reasons.append(of_name("no-inbound-rule", {**facts, **more}))
    return reasons, unsure


def _my_address(cloud: Cloud) -> str:
    """The address of this machine; "" where it is not told, so that no rule is judged by it."""
    try:
        return cloud.my_address()
    except Untold:
        return ""


def _opened(rules: Sequence[Rule], port: int) -> list[Rule]:
    """The rules that let everybody in, whatever else they name."""
    return [
        replace(rule, cidrs=everybody)
        for rule in rules
        if rule.covers(port) and (everybody := tuple(c for c in rule.cidrs if c in _EVERYBODY))
    ]


def _revoked(opened: Sequence[Rule]) -> dict[str, str]:
    """The rules as AWS wants them named to take them back: with ports and protocol as they are there."""
    permissions = []
    for rule in opened:
        permission: dict[str, Any] = {"IpProtocol": rule.protocol}
        if rule.protocol != "-1":
            permission |= {"FromPort": rule.first_port, "ToPort": rule.last_port}
        if own := [{"CidrIp": cidr} for cidr in rule.cidrs if ":" not in cidr]:
            permission["IpRanges"] = own
        if own := [{"CidrIpv6": cidr} for cidr in rule.cidrs if ":" in cidr]:
            permission["Ipv6Ranges"] = own
        permissions.append(permission)
    return {
        "open_to": " and ".join(sorted({cidr for rule in opened for cidr in rule.cidrs})),
        "open_permissions": json.dumps(permissions, separators=(",", ":")),
    }


def _lets_in(
    place: Place, cloud: Cloud, covering: Sequence[Rule], region: str
) -> tuple[bool | None, str]:
    """Whether one of the rules lets this machine in; None, and what was not told, where that hangs on it."""
    mine = _my_address(cloud)
    if not mine:
        return None, ""
    own = {mine, place.probe.here(place.host, place.port)} - {""}
    cidrs = [cidr for rule in covering for cidr in (*rule.cidrs, *rule.listed)]
    if any(ip_address(mine) in ip_network(cidr, strict=False) for cidr in cidrs):
        return True, ""
    unread = sorted({name for rule in covering for name in rule.unread})
    if unread:
        return (
            None,
            f"a rule names {', '.join(unread)}, and AWS does not tell what addresses those are",
        )
    members = sorted({group for rule in covering for group in rule.groups})
    if not members:
        return False, ""
    try:
        return bool(own & cloud.members(members, region)), ""
    except Untold as error:
        return None, f"a rule names the members of {', '.join(members)}: {error}"


def not_known(place: Place, name: str, region: str) -> Found:
    """For what AWS does not know: where the port opens, it is another account's, or a proxy's."""
    text = f"{name} is not known to AWS{f' in {region}' if region else ''}"
    if place.is_open:
        return Found("unknown", f"{text} for these credentials; its port opens")
    text = f"{text}: another account or region?"
    return Found("unknown", text, (of_name("workgroup-not-there", place.known),))


def of_aws(place: Place, look: Callable[[str], Found], kinds: tuple[str, ...]) -> Found:
    """A look at AWS, where the place is one of AWS's; `look` is given the region."""
    known = place.known
    kind = known.get("endpoint_kind")
    if kind in ("rds", "serverless", "cluster") and kind not in kinds:
        return skipped(f"of a {kind}, AWS is not asked")
    if kind not in kinds:
        where = (
            "an address of a private network" if is_private(place.host) else "no endpoint of AWS"
        )
        return skipped(f"{place.host or 'the host'} is {where}")
    return look(known.get("region", ""))
