"""The templates deployed into moto's CloudFormation, as `aws cloudformation deploy` does it.

What moto has no CloudFormation for is listed here with the reason, and taken out of the template before it
is sent; where moto's service has it all the same, the test makes it by that.
"""

from __future__ import annotations

import itertools
import json
import re
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from orderhe_dagster_tests.doctor.aws import ControlPlane
from orderhe_dagster_tests.infra import templates
from orderhe_dagster_tests.infra.templates import ACCOUNT, REGION, STACKS, Given, Template
from orderhe_dagster_tests.servers.s3 import S3Server

NOT_IN_MOTO: Mapping[str, str] = {
    "AWS::Budgets::Budget": "no CloudFormation; the service takes one and tells it in a form of its own",
    "AWS::RedshiftServerless::Namespace": "no service: played by the doctor's control plane",
    "AWS::RedshiftServerless::Workgroup": "no service: played by the doctor's control plane",
    "AWS::S3::BucketPolicy": "no CloudFormation; the service knows no conditions: all would be denied",
    "AWS::SecretsManager::Secret": "no CloudFormation: made by the service",
    "Custom::WorkgroupSettings": "it runs a function in a container: the test runs the same text",
}
"""Types that moto makes nothing of, and why."""
NOT_TAKEN: Mapping[tuple[str, str], str] = {
    ("AWS::RDS::DBInstance", "DBParameterGroupName"): "a reference to a group is no text to moto",
    ("AWS::Lambda::Function", "LoggingConfig"): "a reference to a log group is no text to moto",
}
"""Properties that moto cannot read, and why."""
NOT_DELETED: Mapping[str, str] = {
    "AWS::EC2::RouteTable": "moto's CloudFormation leaves it, and then the VPC: the test deletes it first",
    "AWS::EC2::InternetGateway": "moto's CloudFormation leaves it",
    "AWS::EC2::VPCGatewayAttachment": "goes with the gateway",
    "AWS::EC2::Route": "goes with the table",
    "AWS::EC2::VPCEndpoint": "moto's CloudFormation leaves it",
    "AWS::IAM::ManagedPolicy": "moto's CloudFormation leaves it",
    "AWS::ECS::Cluster": "moto's CloudFormation leaves it",
    "AWS::ECS::Service": "moto's CloudFormation leaves it",
    "AWS::ECS::TaskDefinition": "a revision is never gone, at AWS neither: it is inactive",
}
"""Types that moto leaves when their stack is deleted, and why that is no matter."""
_OTHER_NAME = {("AWS::RDS::DBInstance", "VPCSecurityGroups"): "VpcSecurityGroupIds"}
"""Properties that moto reads under another name than AWS."""
_NAMED_BY = {
    "AWS::RDS::DBSubnetGroup": ("DBSubnetGroups", "DBSubnetGroupName"),
    "AWS::RDS::DBParameterGroup": ("DBParameterGroups", "DBParameterGroupName"),
}
_NUMBERS = itertools.count(1)
WORKGROUP_ARN = f"arn:aws:redshift-serverless:{REGION}:{ACCOUNT}:workgroup/1"
NAMESPACE_ARN = f"arn:aws:redshift-serverless:{REGION}:{ACCOUNT}:namespace/1"


def _walked(value: Any, change: Callable[[str, Any], Any]) -> Any:
    """The value with references (`Ref`, `Fn::GetAtt`) changed; `change` gives None for one to be left."""
    if isinstance(value, list):
        return [_walked(one, change) for one in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((name, given),) = value.items()
        if name in ("Ref", "Fn::GetAtt"):
            changed = change(name, given)
            return value if changed is None else changed
        if name == "Fn::Sub" and isinstance(given, str):

            def put(match: re.Match[str]) -> str:
                return change("Fn::GetAtt", [match[1], match[2]]) or match[0]

            return {name: re.sub(r"\$\{(\w+)\.([\w.]+)\}", put, given)}
    return {name: _walked(one, change) for name, one in value.items()}


def _access_point(client: Callable[[str], Any], stem: str) -> str:
    """The id of an access point that moto's CloudFormation does not tell."""
    listed = client("efs").describe_access_points()["AccessPoints"]
    (name,) = [one["AccessPointId"] for one in listed if one["ClientToken"].startswith(stem)]
    return str(name)


@dataclass
class Account:
    """An account at moto with Redshift Serverless beside it, and the stacks that are deployed into it."""

    server: S3Server
    plane: ControlPlane
    stem: str = "orderhe"
    sent: dict[str, Template] = field(default_factory=dict)
    given: dict[str, dict[str, str]] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        """A client of boto3's, with every right."""
        return self.server.client(service)

    def asked(self, describe: Callable[[Callable[[str], Any], str], Any], name: str) -> Any:
        """What a service says of a resource. Moto takes no signature of services that are asked by path
        (functions, file systems) for a right one, so none is looked at meanwhile.
        """
        self._guard("inf")
        try:
            return describe(self.client, name)
        finally:
            self._guard("0")

    def _guard(self, requests: str) -> None:
        """How many requests are answered before signatures and rights are looked at."""
        url = f"{self.server.url}/moto-api/reset-auth"
        asked = urllib.request.Request(url, requests.encode(), {"Content-Type": "text/plain"})
        urllib.request.urlopen(asked, timeout=10).close()

    def stack_name(self, name: str) -> str:
        """The stack's name."""
        return f"{self.stem}-{name}"

    def parameters(self, name: str, given: Given) -> dict[str, str]:
        """What a person gives, and the links to stacks of another name than the usual."""
        declared = templates.template(name)["Parameters"]
        links = {"NetworkStack": "network", "BucketStack": "bucket", "MySqlStack": "mysql"}
        links |= {"RedshiftStack": "redshift"}
        linked = {key: self.stack_name(of) for key, of in links.items() if key in declared}
        own = {"WorkgroupName": self.stem} if "WorkgroupName" in declared else {}
        own |= {"BucketName": f"{self.stem}-backups"} if name == "bucket" else {}
        own |= {"Project": self.stem} if name == "dagster" else {}  # its repository is named by it
        return {**STACKS[name], **linked, **own, **given}

    def playable(self, name: str, template: Template) -> Template:
        """The template without what moto cannot play; what refers to it gets the answer itself."""
        kinds = {key: one["Type"] for key, one in template["Resources"].items()}
        answers = {
            ("Workgroup", "Workgroup.WorkgroupArn"): WORKGROUP_ARN,
            ("Workgroup", ""): self.stem,
            ("Namespace", "Namespace.NamespaceArn"): NAMESPACE_ARN,
            ("Namespace", ""): self.stem,
            ("WorkgroupSettings", "SecretArn"): self._secret(f"{self.stem}-warehouse"),
            ("BiPassword", ""): self._secret(f"{self.stem}-bi"),
        }
        for key, kind in kinds.items():
            if kind == "AWS::RDS::DBInstance":
                answers[key, "MasterUserSecret.SecretArn"] = self._secret(f"{self.stem}-{key}")

        def change(function: str, given: Any) -> Any:
            if function == "Ref":
                return answers.get((given, ""))
            return answers.get((given[0], given[1]))

        played: Template = json.loads(json.dumps(template))
        for key, resource in list(played["Resources"].items()):
            kind, properties = resource["Type"], resource.get("Properties", {})
            if kind in NOT_IN_MOTO:
                del played["Resources"][key]
                continue
            for gone in [one for one in properties if (kind, one) in NOT_TAKEN]:
                del properties[gone]
            for other in [one for one in properties if (kind, one) in _OTHER_NAME]:
                properties[_OTHER_NAME[kind, other]] = properties.pop(other)
        played["Resources"] = _walked(played["Resources"], change)
        played["Outputs"] = _walked(played.get("Outputs", {}), change)
        return played

    def _secret(self, name: str) -> str:
        client = self.client("secretsmanager")
        try:
            return str(client.describe_secret(SecretId=name)["ARN"])
        except client.exceptions.ResourceNotFoundException:
            text = json.dumps({"username": "orderhe", "password": "made-by-aws"})
            return str(client.create_secret(Name=name, SecretString=text)["ARN"])

    def deploy(self, name: str, template: Template | None = None, **given: str) -> str:
        """Make or change a stack by a change set; gives CREATE, UPDATE, or "" where nothing changes."""
        cloudformation, stack = self.client("cloudformation"), self.stack_name(name)
        self.sent[name] = template or templates.template(name)
        self.given[name] = self.parameters(name, given)
        played = self.playable(name, self.sent[name])
        if not played["Resources"]:
            return ""
        arguments = {
            "StackName": stack,
            "TemplateBody": json.dumps(played),
            "Capabilities": ["CAPABILITY_IAM"],
            "Parameters": [
                {"ParameterKey": key, "ParameterValue": value}
                for key, value in self.given[name].items()
            ],
        }
        kind = "UPDATE" if self.stands(name) else "CREATE"
        if kind == "CREATE":  # by a change set moto would make a stack without outputs
            cloudformation.create_stack(**arguments)
        elif not self._changes(arguments):
            return ""
        else:
            cloudformation.update_stack(**arguments)
        self._complete(name)
        if name == "redshift":
            self.play()
        return kind

    def stack(self, name: str, *, played: bool = False) -> templates.Stack:
        """The stack as the template has it, with the names that were given and exported at moto.

        `played`: as it was sent to moto.
        """
        listed = self.client("cloudformation").list_exports()["Exports"]
        exports = {one["Name"]: one["Value"] for one in listed}
        template = self.sent[name]
        if played:
            template = self.playable(name, template)
        made = self.physical(name)
        for key, physical in list(made.items()):
            if template["Resources"][key]["Type"] == "AWS::RDS::DBInstance":
                found = self.client("rds").describe_db_instances(DBInstanceIdentifier=physical)
                made[f"{key}.Endpoint.Address"] = found["DBInstances"][0]["Endpoint"]["Address"]
        return templates.Resolver(
            *(template, self.stack_name(name), self.given[name], exports), made
        ).stack()

    def _complete(self, name: str) -> None:
        """Give moto's services what its CloudFormation does not hand on, in the template's own words.

        A role's policies it keeps as a text of Python's, or not at all; of a bucket little more than
        its name; which subnet has which routes it keeps to itself.
        """
        made = self.physical(name)
        for key, resource in self.stack(name, played=True).resources.items():
            if resource["Type"] == "AWS::IAM::Role":
                for policy in resource["Properties"].get("Policies", []):
                    self.client("iam").put_role_policy(
                        RoleName=made[key],
                        PolicyName=policy["PolicyName"],
                        PolicyDocument=json.dumps(policy["PolicyDocument"]),
                    )
                for arn in resource["Properties"].get("ManagedPolicyArns", []):
                    self.client("iam").attach_role_policy(RoleName=made[key], PolicyArn=arn)
            if resource["Type"] == "AWS::IAM::ManagedPolicy":
                document = json.dumps(resource["Properties"]["PolicyDocument"])
                if ":access-point/" in document:  # whose name moto's CloudFormation does not know
                    self.client("iam").create_policy_version(
                        PolicyArn=made[key], PolicyDocument=document, SetAsDefault=True
                    )
            if resource["Type"] == "AWS::EC2::SubnetRouteTableAssociation":
                self.client("ec2").associate_route_table(**resource["Properties"])
            if resource["Type"] == "AWS::S3::Bucket":
                self._complete_bucket(resource["Properties"])

    def _complete_bucket(self, given: Mapping[str, Any]) -> None:
        s3 = self.client("s3")
        place = {"Bucket": given["BucketName"]}
        s3.put_bucket_versioning(**place, VersioningConfiguration=given["VersioningConfiguration"])
        s3.put_bucket_ownership_controls(**place, OwnershipControls=given["OwnershipControls"])
        s3.put_public_access_block(
            **place,
            PublicAccessBlockConfiguration=given["PublicAccessBlockConfiguration"],
        )
        rules = [
            {"ID": rule["Id"], "Filter": {"Prefix": ""}, **{k: rule[k] for k in rule if k != "Id"}}
            for rule in given["LifecycleConfiguration"]["Rules"]
        ]
        s3.put_bucket_lifecycle_configuration(**place, LifecycleConfiguration={"Rules": rules})

    def _changes(self, arguments: Mapping[str, Any]) -> bool:
        """Whether a change set finds something to do."""
        cloudformation = self.client("cloudformation")
        change = {"ChangeSetName": f"deploy-{next(_NUMBERS)}", "StackName": arguments["StackName"]}
        cloudformation.create_change_set(ChangeSetType="UPDATE", **{**arguments, **change})
        answer = cloudformation.describe_change_set(**change)
        if answer["Status"] == "FAILED":
            assert "didn't contain changes" in answer["StatusReason"], answer["StatusReason"]
        return bool(answer["Status"] != "FAILED")

    def stands(self, name: str) -> bool:
        """Whether there is such a stack."""
        listed = self.client("cloudformation").list_stacks()["StackSummaries"]
        name = self.stack_name(name)
        return any(
            one["StackName"] == name and not one["StackStatus"].startswith("DELETE")
            for one in listed
        )

    def delete(self, name: str) -> None:
        """Delete a stack."""
        iam = self.client("iam")
        for key, physical in self.physical(name).items():
            if self.sent[name]["Resources"][key]["Type"] == "AWS::IAM::Role":
                attached = iam.list_attached_role_policies(RoleName=physical)["AttachedPolicies"]
                for one in attached:  # by the test, see `_complete`
                    iam.detach_role_policy(RoleName=physical, PolicyArn=one["PolicyArn"])
        if name == "network":
            ec2, table = self.client("ec2"), self.physical(name)["RouteTable"]
            (found,) = ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"]
            for one in found["Associations"]:
                ec2.disassociate_route_table(AssociationId=one["RouteTableAssociationId"])
            ec2.delete_route_table(RouteTableId=table)
        self.client("cloudformation").delete_stack(StackName=self.stack_name(name))

    def outputs(self, name: str) -> dict[str, str]:
        """What a stack tells."""
        client = self.client("cloudformation")
        (found,) = client.describe_stacks(StackName=self.stack_name(name))["Stacks"]
        return {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", [])}

    def physical(self, name: str) -> dict[str, str]:
        """Logical -> physical name of what moto says it made."""
        client = self.client("cloudformation")
        stack = self.stack_name(name)
        names = {
            one["LogicalResourceId"]: one.get("PhysicalResourceId", "")
            for one in client.list_stack_resources(StackName=stack)["StackResourceSummaries"]
            if one.get("LogicalResourceId")  # moto lists those of conditions that do not hold
        }
        for key, physical in names.items():
            kind, stem = self.sent[name]["Resources"][key]["Type"], f"{stack}-{key}-"
            if not physical and kind in _NAMED_BY:
                names[key] = self._found(kind, stem.lower())
            if not physical and kind == "AWS::EFS::AccessPoint":
                names[key] = self.asked(_access_point, stem)
        return names

    def _found(self, kind: str, stem: str) -> str:
        """The name of a resource of RDS that moto's CloudFormation does not tell."""
        plural, member = _NAMED_BY[kind]
        operation = {"DBSubnetGroups": "subnet", "DBParameterGroups": "parameter"}[plural]
        listed = getattr(self.client("rds"), f"describe_db_{operation}_groups")()[plural]
        (name,) = [one[member] for one in listed if one[member].startswith(stem)]
        return str(name)

    def clear(self) -> None:
        """Delete every stack."""
        for name in reversed(list(self.sent)):
            if self.stands(name):
                self.delete(name)

    def play(self) -> None:
        """Have the control plane answer as the redshift template's workgroup and namespace are."""
        stack = self.stack("redshift")
        if "Workgroup" not in stack.resources:
            return
        workgroup = stack.resources["Workgroup"]["Properties"]
        namespace = stack.resources["Namespace"]["Properties"]
        role = self.outputs("redshift")["CopyRoleArn"]
        self.plane.workgroup |= {
            "workgroupName": workgroup["WorkgroupName"],
            "namespaceName": workgroup["NamespaceName"],
            "workgroupArn": WORKGROUP_ARN,
            "status": "AVAILABLE",
            "publiclyAccessible": workgroup["PubliclyAccessible"],
            "securityGroupIds": workgroup["SecurityGroupIds"],
            "subnetIds": workgroup["SubnetIds"],
            "endpoint": {"address": "x", "port": 5439},
        }
        self.plane.namespace |= {
            "namespaceName": namespace["NamespaceName"],
            "iamRoles": [
                f"IamRole(applyStatus=in-sync, iamRoleArn={role})" for _ in namespace["IamRoles"]
            ],
            "adminPasswordSecretArn": self._secret(f"{self.stem}-warehouse"),
        }
        self.plane.namespace.pop("defaultIamRoleArn", None)
        if "DefaultIamRoleArn" in namespace:
            self.plane.namespace["defaultIamRoleArn"] = role
        if "WorkgroupSettings" in stack.resources:
            settings = stack.resources["WorkgroupSettings"]["Properties"]
            limit = {"amount": int(settings["DailyRpuHours"]), "breachAction": "deactivate"}
            self.plane.limits[:] = [limit]
