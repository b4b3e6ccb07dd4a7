"""Which parameter of which template in `infra/` mends what a signature names: for who deployed those stacks.

How the stacks are deployed is docs/infra.md's; what is wrong without them, the signatures'.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Parameter:
    """A parameter of a template and what it is to be; `name` is "" where a deployment as it is mends it."""

    template: str
    name: str = ""
    value: str = ""

    def text(self) -> str:
        """What to do, in one sentence."""
        again = f"deploy infra/{self.template}.yaml again"
        if not self.name:
            return (
                f"{again}, if the text that was deployed is another; what was changed by hand, the fix alone "
                "sets back: a deployment without a change does nothing"
            )
        return f"{again} with {self.name}={self.value}"


_CALLER = Parameter("mysql", "CallerAddress", "$(curl -s https://checkip.amazonaws.com)/32")
_PRIVATE = Parameter(
    "redshift", "BiStack", "orderhe-bi, or keep it private: the Data API needs no way in"
)
_ROLE = Parameter("redshift")
PARAMETERS: Mapping[str, tuple[Parameter, ...]] = {
    "mysql-no-inbound-rule": (_CALLER,),
    "mysql-timed-out": (_CALLER,),
    "mysql-private-address": (_CALLER,),
    "no-inbound-rule": (_CALLER, Parameter("bi", "Range1", "the tool's range, for port 5439")),
    "group-open-to-all": (Parameter("mysql"), Parameter("redshift")),
    "instance-not-public": (_CALLER,),
    "no-route-to-internet": (Parameter("network"),),
    "mysql-wants-tls": (Parameter("mysql"),),
    "mysql-full": (Parameter("mysql", "StorageGb", "more than it has"),),
    "mysql-too-many-connections": (Parameter("mysql", "InstanceClass", "a larger one"),),
    "workgroup-not-public": (_PRIVATE,),
    "redshift-not-reachable": (_PRIVATE,),
    "redshift-private-address": (_PRIVATE,),
    "redshift-wants-tls": (Parameter("redshift"),),
    "no-usage-limit": (Parameter("redshift", "DailyRpuHours", "8"),),
    "redshift-usage-limit": (Parameter("redshift", "DailyRpuHours", "more than it has"),),
    "trust-lacks-a-service": (_ROLE,),
    "role-not-trusted": (_ROLE,),
    "role-lacks-rights": (Parameter("redshift", "BucketStack", "the stack of this bucket"),),
    "copy-denied": (Parameter("redshift", "BucketStack", "the stack of this bucket"),),
    "unload-denied": (Parameter("redshift", "BucketStack", "the stack of this bucket"),),
    "role-not-in-namespace": (_ROLE,),
    "role-not-attached": (_ROLE,),
    "role-no-default": (_ROLE,),
}
"""Signature -> the parameters that mend it.

No name of a bucket or a workgroup is among them: another one makes a new thing in place of the old, and
deletes the warehouse. What the settings call otherwise, the settings mend.
"""


def by_templates(name: str) -> str:
    """What to deploy again for a signature; "" where no template has to do with it."""
    return "; or ".join(one.text() for one in PARAMETERS.get(name, ()))
