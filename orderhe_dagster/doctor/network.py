"""The first steps to a server: its name, its port, and the way there as AWS has it. No login."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network

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
) -> list[Explanation]:
    """What of groups and routes keeps this machine out, or lets everybody in. Untold where AWS is silent.

    A machine that the port opens to is not kept out: it may be inside of the network.
    """
    region, port = place.known.get("region", ""), place.port
    facts = {**place.known, **learnt}
    reasons: list[Explanation] = []
    without = [] if place.is_open else cloud.without_gateway(subnets, region)
    if without:
        reasons.append(of_name("no-route-to-internet", {**facts, "subnets": ", ".join(without)}))
    rules = cloud.rules(groups, region)
    open_to_all = [group for group, some in rules.items() if _is_open(some, port)]
    reasons += [
        of_name("group-open-to-all", {**facts, "security_group": group}) for group in open_to_all
    ]
    if groups and not open_to_all and not place.is_open:
        mine = _my_address(cloud)
        if mine and not any(_lets_in(some, port, mine) for some in rules.values()):
            more = {"security_group": groups[0], "my_address": mine, "port": str(port)}
            reasons.append(of_name("no-inbound-rule", {**facts, **more}))
    return reasons


def _my_address(cloud: Cloud) -> str:
    """The address of this machine; "" where it is not told, so that no rule is judged by it."""
    try:
        return cloud.my_address()
    except Untold:
        return ""


def _is_open(rules: Sequence[Rule], port: int) -> bool:
    return any(rule.covers(port) and _EVERYBODY & set(rule.cidrs) for rule in rules)


def _lets_in(rules: Sequence[Rule], port: int, address: str) -> bool:
    parsed = ip_address(address)
    return any(
        rule.covers(port) and any(parsed in ip_network(cidr, strict=False) for cidr in rule.cidrs)
        for rule in rules
    )


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
