"""From an error, or from what was seen, to its explanation: by the table alone. Nothing is asked."""

from __future__ import annotations

import re
from collections.abc import Iterator

from orderhe_dagster.doctor.facts import completed
from orderhe_dagster.doctor.signature import Explanation, Facts, Signature, explained
from orderhe_dagster.doctor.signatures.table import BY_NAME, SIGNATURES
from orderhe_dagster.ports.errors import Symptom

_DENIED_BY = re.compile(r"explicit deny in an? ([\w -]+?)(?: policy|$|[.,:;\n])", re.IGNORECASE)


def explain(error: BaseException) -> Explanation | None:
    """Why an error was raised and what mends it; None where no signature fits, or no system said it."""
    for symptom in symptoms(error):
        result = explain_symptom(symptom)
        if result is not None:
            return result
    return None


def explain_symptom(
    symptom: Symptom, more: Facts | None = None, seen: str = ""
) -> Explanation | None:
    """The same of what was seen; `more` facts win, `seen` is what confirmed it."""
    signature, facts = recognised(symptom, more or {})
    return explained(signature, facts, seen) if signature else None


def recognised(symptom: Symptom, more: Facts | None = None) -> tuple[Signature | None, Facts]:
    """The first signature that fits, and all facts."""
    facts = completed({**_told(symptom.text), **symptom.facts, **(more or {})})
    facts = {**_found_by_a_command(facts), **facts}
    return next((one for one in SIGNATURES if one.fits(symptom, facts)), None), facts


def of_name(name: str, facts: Facts, seen: str = "") -> Explanation:
    """A signature by its name, for what a check has found itself."""
    known = completed(facts)
    return explained(BY_NAME[name], {**_found_by_a_command(known), **known}, seen)


def symptoms(error: BaseException) -> Iterator[Symptom]:
    """What an error, and those that it came from, carry of the systems' own words; from the outermost."""
    at: BaseException | None = error
    seen: set[int] = set()
    while at is not None and id(at) not in seen:
        seen.add(id(at))
        symptom = getattr(at, "symptom", None)
        if isinstance(symptom, Symptom):
            yield symptom
        at = at.__cause__


def _told(text: str) -> dict[str, str]:
    """What is read off the words: whose kind of policy denies, where they say so."""
    denied = _DENIED_BY.search(text)
    return {"said": text, **({"denied_by": denied[1].lower()} if denied else {})}


def _found_by_a_command(facts: Facts) -> dict[str, str]:
    """What AWS would have to be asked for, as the shell asks it: so the fix works when it is pasted."""
    found = {"my_address": "$(curl -s https://checkip.amazonaws.com)", "attached_roles": ""}
    if "endpoint" not in facts and "bucket" in facts:
        found["endpoint"] = "Amazon's S3"
    region = f" --region {facts['region']}" if "region" in facts else ""
    if instance := facts.get("instance"):
        found["security_group"] = (
            f"$(aws rds describe-db-instances{region} --db-instance-identifier {instance} --query "
            "'DBInstances[0].VpcSecurityGroups[0].VpcSecurityGroupId' --output text)"
        )
    elif workgroup := facts.get("workgroup"):
        asked = f"aws redshift-serverless get-workgroup{region} --workgroup-name {workgroup}"
        found["security_group"] = (
            f"$({asked} --query 'workgroup.securityGroupIds[0]' --output text)"
        )
        found["namespace"] = f"$({asked} --query workgroup.namespaceName --output text)"
        found["workgroup_arn"] = f"$({asked} --query workgroup.workgroupArn --output text)"
        namespace = found["namespace"]
        found["attached_roles"] = (
            "$(aws redshift-serverless get-namespace" + region + f" --namespace-name {namespace} "
            "--query 'namespace.iamRoles' --output text | grep -o 'arn:[[:alnum:]:/+=.@_-]*' | tr '\\n' ' ') "
        )
        default = (
            f"aws redshift-serverless get-namespace{region} --namespace-name {namespace} --query "
            "namespace.defaultIamRoleArn --output text"
        )
        found["role"], found["role_name"] = f"$({default})", f"$({default} | sed 's|.*/||')"
    elif cluster := facts.get("cluster"):
        found["security_group"] = (
            f"$(aws redshift describe-clusters{region} --cluster-identifier {cluster} --query "
            "'Clusters[0].VpcSecurityGroups[0].VpcSecurityGroupId' --output text)"
        )
    found["caller_name"] = (
        "$(aws sts get-caller-identity --query Arn --output text | sed 's|.*/||')"
    )
    return found
