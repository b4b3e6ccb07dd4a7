"""What is known only by asking AWS, and what asking it meets: groups, routes, roles, limits. Read-only."""

from __future__ import annotations

from orderhe_dagster.doctor.signature import Cure, Example, Facts, Signature
from orderhe_dagster.doctor.signatures.of_copy import ATTACH, READ_POLICY, ROLE

_AWS = "seen: stubbed answers of AWS"
_FACTS: Facts = {
    "region": "eu-west-1",
    "account": "123456789012",
    "role": ROLE,
    "bucket": "shop-backup",
    "prefix": "",
    "instance": "shop",
    "workgroup": "shop",
    "namespace": "shop",
    "security_group": "sg-0a1b2c3d",
    "port": "3306",
    "address": "203.0.113.7",
    "open_to": "0.0.0.0/0",
    "open_permissions": '[{"IpProtocol":"tcp","FromPort":3306,"ToPort":3306,'
    '"IpRanges":[{"CidrIp":"0.0.0.0/0"}]}]',
}
_NEW_VERSION = (
    "aws iam create-policy-version --policy-arn {policy_arn} --policy-document {policy_document} "
    "--set-as-default"
)
_SHOWN = (
    "aws iam get-policy-version --policy-arn {policy_arn} --version-id $(aws iam get-policy --policy-arn "
    "{policy_arn} --query Policy.DefaultVersionId --output text) --query PolicyVersion.Document"
)
_AMAZONS: Facts = {"policy_arn": "arn:aws:iam::aws:policy/PowerUserAccess"}
_VERSIONS = (
    "a policy has five versions at most: aws iam delete-policy-version takes an old one away"
)


def _is_managed(facts: Facts) -> bool:
    return "policy_arn" in facts


def _is_amazons(facts: Facts) -> bool:
    """Whether the policy is one of Amazon's own, which nobody else gives a version."""
    return ":iam::aws:policy/" in facts.get("policy_arn", "")


def _in_the_first_region(facts: Facts) -> bool:
    return facts.get("region") == "us-east-1"


SIGNATURES = (
    Signature(
        name="group-open-to-all",
        system="aws",
        title="A security group lets the whole internet in",
        cause="{security_group} has a rule for {open_to} that covers port {port}: everybody may try "
        "passwords there",
        how="the group's inbound rules were read",
        command="aws ec2 revoke-security-group-ingress --region {region} --group-id "
        "{security_group} --ip-permissions {open_permissions}\n"
        "aws ec2 authorize-security-group-ingress --region {region} --group-id {security_group} "
        "--protocol tcp --port {port} --cidr {my_address}/32",
        console="a rule of more ports than {port} let others in, too: give back what they need, to their "
        "addresses alone",
        pattern=r"open to all",
        examples=(Example("open to all: sg-0a1b2c3d, port 3306", "seen: moto", "", _FACTS),),
    ),
    Signature(
        name="no-route-to-internet",
        system="aws",
        title="A subnet has no route to an internet gateway",
        cause="{subnets} have no route 0.0.0.0/0 to an internet gateway, so nothing from outside "
        "finds the way in, whatever the "
        "security group says",
        how="the subnets' route tables were read",
        command="aws ec2 create-route --region {region} --route-table-id {route_table} "
        "--destination-cidr-block 0.0.0.0/0 "
        "--gateway-id {internet_gateway}",
        console="a route out of a subnet lets nobody in by itself: the security group does",
        pattern=r"no route to an internet gateway",
        examples=(Example("no route to an internet gateway: subnet-1", "seen: moto", "", _FACTS),),
    ),
    Signature(
        name="instance-not-public",
        system="aws",
        title="The instance is not publicly accessible",
        cause="{instance} has no public address, so nothing outside of its VPC reaches it",
        how="rds:DescribeDBInstances says PubliclyAccessible false",
        command="aws rds modify-db-instance --region {region} --db-instance-identifier {instance} "
        "--publicly-accessible "
        "--apply-immediately",
        console="better: run this inside the VPC, by a VPN, or by a port forwarding of Session Manager",
        pattern=r"instance is not publicly accessible",
        examples=(Example("instance is not publicly accessible: shop", "seen: moto", "", _FACTS),),
    ),
    Signature(
        name="instance-not-running",
        system="aws",
        title="The instance does not run",
        cause="{instance} is {status}",
        how="rds:DescribeDBInstances says so",
        command="aws rds start-db-instance --region {region} --db-instance-identifier {instance}",
        pattern=r"instance is (stopped|stopping|starting|creating|rebooting|storage-full|failed)",
        examples=(
            Example("instance is stopped: shop", "seen: moto", "", {**_FACTS, "status": "stopped"}),
        ),
    ),
    Signature(
        name="instance-other-port",
        system="aws",
        title="The instance listens on another port",
        cause="{instance} listens on port {real_port}, not on {port}",
        how="rds:DescribeDBInstances says so",
        kind="env",
        command="ORDERHE_MYSQL_PORT={real_port}",
        pattern=r"instance listens on port",
        examples=(
            Example(
                "instance listens on port 3307: shop",
                "seen: moto",
                "",
                {**_FACTS, "real_port": "3307"},
            ),
        ),
    ),
    Signature(
        name="no-inbound-rule",
        system="aws",
        title="No inbound rule names this machine's address",
        cause="the rules of {security_group} do not let {my_address} in on port {port}",
        how="the group's inbound rules were read and compared with this machine's address",
        command="aws ec2 authorize-security-group-ingress --region {region} --group-id "
        "{security_group} --protocol tcp --port "
        "{port} --cidr {my_address}/32",
        console="console: EC2 > Security Groups > {security_group} > Inbound rules > Edit > port "
        "{port}, My IP",
        pattern=r"no inbound rule",
        examples=(
            Example(
                "no inbound rule for 203.0.113.7 on port 3306: sg-0a1b2c3d",
                "seen: moto",
                "",
                {**_FACTS, "my_address": "203.0.113.7"},
            ),
        ),
    ),
    Signature(
        name="workgroup-not-public",
        system="aws",
        title="The workgroup is not publicly accessible",
        cause="{workgroup} is private, so nothing outside of its VPC reaches port {port}",
        how="redshift-serverless:GetWorkgroup says publiclyAccessible false",
        command="aws redshift-serverless update-workgroup --region {region} --workgroup-name "
        "{workgroup} --publicly-accessible",
        console="better: leave it private, and run this inside the VPC, by a VPN, or with "
        "ORDERHE_WAREHOUSE=data_api (HTTPS and IAM, no port at all)",
        pattern=r"workgroup is not publicly accessible",
        examples=(Example("workgroup is not publicly accessible: shop", _AWS, "", _FACTS),),
    ),
    Signature(
        name="workgroup-not-there",
        system="aws",
        title="There is no such workgroup or instance in this account and region",
        cause="AWS knows none of the name that the settings hold: another account or region, "
        "misspelt, or deleted",
        how="it was asked for by its name",
        command="aws redshift-serverless list-workgroups --region {region} --query "
        "'workgroups[].endpoint.address'\n"
        "aws rds describe-db-instances --region {region} --query 'DBInstances[].Endpoint.Address'",
        pattern=r"is not known to AWS",
        examples=(Example("workgroup shop is not known to AWS", _AWS, "", _FACTS),),
    ),
    Signature(
        name="workgroup-not-available",
        system="aws",
        title="The workgroup is not ready",
        cause="{workgroup} is {status}; it takes some minutes",
        how="redshift-serverless:GetWorkgroup says so",
        command="aws redshift-serverless get-workgroup --region {region} --workgroup-name "
        "{workgroup} --query workgroup.status",
        pattern=r"workgroup is (CREATING|MODIFYING|DELETING)",
        examples=(
            Example("workgroup is MODIFYING: shop", _AWS, "", {**_FACTS, "status": "MODIFYING"}),
        ),
    ),
    Signature(
        name="no-usage-limit",
        system="aws",
        title="The workgroup has no usage limit",
        cause="nothing stops the bill where a dashboard or a mistake keeps {workgroup} awake",
        how="redshift-serverless:ListUsageLimits is empty",
        command="aws redshift-serverless create-usage-limit --region {region} --resource-arn "
        "{workgroup_arn} --usage-type "
        "serverless-compute --amount 8 --period daily --breach-action deactivate",
        console="amount is in RPU-hours: 8 are about 3 US dollars a day",
        pattern=r"no usage limit",
        examples=(Example("no usage limit: shop", _AWS, "", _FACTS),),
    ),
    Signature(
        name="trust-lacks-a-service",
        system="aws",
        title="The role does not trust both of Redshift's services",
        cause="the trust policy of {role_text} does not let {services} assume it",
        how="iam:GetRole was read",
        command="aws iam update-assume-role-policy --role-name {role_name} --policy-document "
        "{policy_document}",
        console="that is the policy as it is, and what it lacks; console: IAM > Roles > {role_name} > "
        "Trust relationships > Edit",
        pattern=r"trust lacks",
        examples=(
            Example(
                "trust lacks redshift-serverless.amazonaws.com",
                "seen: moto",
                "",
                {
                    **_FACTS,
                    "services": "redshift-serverless.amazonaws.com",
                    "policy_document": '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":'
                    '{"Service":"redshift.amazonaws.com"},"Action":"sts:AssumeRole"},{"Effect":"Allow",'
                    '"Principal":{"Service":["redshift-serverless.amazonaws.com"]},"Action":'
                    '"sts:AssumeRole"}]}',
                },
            ),
        ),
    ),
    Signature(
        name="no-such-role",
        system="aws",
        title="There is no such role",
        cause="{role_text} does not exist: the account, the path or the name in "
        "ORDERHE_REDSHIFT_IAM_ROLE is wrong",
        how="iam:GetRole says NoSuchEntity",
        command="aws iam list-roles --query \"Roles[?contains(RoleName,'redshift')].Arn\" --output text",
        console="set ORDERHE_REDSHIFT_IAM_ROLE to one of them",
        pattern=r"no such role",
        examples=(Example("no such role: shop-copy", "seen: moto", "", _FACTS),),
    ),
    Signature(
        name="role-lacks-rights",
        system="aws",
        title="The role's policies do not allow what COPY needs",
        cause="{role_text} may not do {actions} on {bucket}",
        how="its policies were read and evaluated: what is not allowed is denied",
        command=READ_POLICY,
        console="console: IAM > Roles > {role_name} > Add permissions > Create inline policy > JSON",
        pattern=r"role lacks",
        examples=(
            Example(
                "role lacks s3:GetObject", "seen: moto", "", {**_FACTS, "actions": "s3:GetObject"}
            ),
        ),
    ),
    Signature(
        name="role-is-denied",
        system="aws",
        title="A statement of the role's policies denies what COPY needs",
        cause="a Deny in a policy of {role_text} covers {actions} on {bucket}; no Allow outweighs it",
        how="its policies were read and evaluated: the statement is {statement}",
        command="aws iam get-role-policy --role-name {role_name} --policy-name {policy_name} "
        "--query PolicyDocument",
        console="take that statement out, or narrow it, and put it back: aws iam put-role-policy",
        others=(
            Cure(
                _is_amazons,
                "where the policy is one of Amazon's",
                "aws iam detach-role-policy --role-name {role_name} --policy-arn {policy_arn}",
                "a policy of Amazon's cannot be changed: take it off the role, and give the role "
                "what else of it "
                "is needed by one of your own",
                facts=_AMAZONS,
            ),
            Cure(
                _is_managed,
                "where the policy is a managed one",
                f"{_SHOWN} > policy.json\n"
                "aws iam create-policy-version --policy-arn {policy_arn} --policy-document "
                "file://policy.json "
                "--set-as-default",
                "between the two, take that statement out of policy.json, or narrow it: it "
                "counts for whoever "
                f"else has the policy, too; {_VERSIONS}",
                facts={"policy_arn": "arn:aws:iam::123456789012:policy/guard"},
            ),
        ),
        pattern=r"role is denied",
        examples=(
            Example(
                "role is denied s3:GetObject",
                "seen: moto",
                "",
                {
                    **_FACTS,
                    "actions": "s3:GetObject",
                    "statement": "Sid NoReads",
                    "policy_name": "guard",
                },
            ),
        ),
    ),
    Signature(
        name="role-is-bounded",
        system="aws",
        title="The role's permissions boundary leaves out what COPY needs",
        cause="{role_text} may do what its policies allow and its boundary {policy_arn} allows "
        "too; the boundary "
        "lacks {actions} on {bucket}. No policy of the role's mends that",
        how="the boundary was read and evaluated",
        command=_NEW_VERSION,
        console=f"that is the boundary as it is, and what it lacks; {_VERSIONS}",
        others=(
            Cure(
                _is_amazons,
                "where the boundary is a policy of Amazon's",
                "aws iam create-policy --policy-name orderhe-boundary-{place_name} --policy-document "
                "{policy_document}\n"
                "aws iam put-role-permissions-boundary --role-name {role_name} --permissions-boundary "
                "arn:aws:iam::{account}:policy/orderhe-boundary-{place_name}",
                "a policy of Amazon's cannot be changed: that puts one of your own in its place, "
                "with what it says "
                "and what it lacks",
                facts=_AMAZONS,
            ),
        ),
        pattern=r"role is bounded",
        examples=(
            Example(
                "role is bounded: s3:GetObject",
                "seen: moto",
                "",
                {
                    **_FACTS,
                    "actions": "s3:GetObject",
                    "policy_arn": "arn:aws:iam::123456789012:policy/bound",
                    "policy_document": '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":'
                    '["s3:GetObject"],"Resource":["arn:aws:s3:::shop-backup/backup/*"]}]}',
                },
            ),
        ),
    ),
    Signature(
        name="role-bound-denies",
        system="aws",
        title="The role's permissions boundary denies what COPY needs",
        cause="a Deny in the boundary {policy_arn} of {role_text} covers {actions} on {bucket}; no Allow "
        "outweighs it",
        how="the boundary was read and evaluated: the statement is {statement}",
        command=f"{_SHOWN} > boundary.json\n"
        "aws iam create-policy-version --policy-arn {policy_arn} --policy-document file://boundary.json "
        "--set-as-default",
        console=f"between the two, take that statement out of boundary.json, or narrow it; {_VERSIONS}",
        others=(
            Cure(
                _is_amazons,
                "where the boundary is a policy of Amazon's",
                f"{_SHOWN} > boundary.json\n"
                "aws iam create-policy --policy-name orderhe-boundary-{place_name} --policy-document "
                "file://boundary.json\n"
                "aws iam put-role-permissions-boundary --role-name {role_name} --permissions-boundary "
                "arn:aws:iam::{account}:policy/orderhe-boundary-{place_name}",
                "a policy of Amazon's cannot be changed: after the first, take that statement out of "
                "boundary.json, or narrow it, and one of your own takes its place; without any "
                "boundary the role might do more than somebody meant it to",
                facts=_AMAZONS,
            ),
        ),
        pattern=r"boundary denies",
        examples=(
            Example(
                "boundary denies s3:GetObject",
                "seen: moto",
                "",
                {
                    **_FACTS,
                    "actions": "s3:GetObject",
                    "statement": "Sid NoReads",
                    "policy_arn": "arn:aws:iam::123456789012:policy/bound",
                },
            ),
        ),
    ),
    Signature(
        name="role-not-in-namespace",
        system="aws",
        title="The role is not attached to the namespace",
        cause="the namespace {namespace} does not have {role_text} among its roles, or it is not in sync yet",
        how="redshift-serverless:GetNamespace was read",
        command=ATTACH,
        console="that replaces the list, so the roles it has already stand in it, too",
        pattern=r"role is not attached|role is not in sync",
        examples=(Example("role is not attached: shop-copy", _AWS, "", _FACTS),),
    ),
    Signature(
        name="region-differs",
        system="aws",
        title="Bucket and workgroup are in different regions",
        cause="{bucket} lies in {bucket_region}, the Redshift in {region}: COPY of Parquet reads "
        "its own region alone",
        how="s3:GetBucketLocation was compared with the endpoint's name",
        command="aws s3api create-bucket --bucket <another-name> --region {region} "
        "--create-bucket-configuration "
        "LocationConstraint={region}",
        console="then set ORDERHE_S3_BUCKET to it: orderhe create && orderhe run '*' --accept lost_backups",
        others=(
            Cure(
                _in_the_first_region,
                "in us-east-1, which is named by naming none",
                "aws s3api create-bucket --bucket <another-name> --region {region}",
                "then set ORDERHE_S3_BUCKET to it: orderhe create && orderhe run '*' --accept lost_backups",
                facts={"region": "us-east-1"},
            ),
        ),
        pattern=r"bucket is in another region",
        examples=(
            Example(
                "bucket is in another region: us-east-1",
                "seen: moto",
                "",
                {**_FACTS, "bucket_region": "us-east-1"},
            ),
        ),
    ),
    Signature(
        name="root-credentials",
        system="aws",
        title="The root user of the account runs this",
        cause="its keys may do everything and cannot be narrowed",
        how="sts:GetCallerIdentity ends with :root",
        command="aws iam create-user --user-name orderhe\naws iam create-access-key --user-name orderhe",
        console="give it the policy of docs/s3.md, then delete the root user's keys: IAM > My "
        "security credentials",
        pattern=r"root user",
        examples=(Example("root user: arn:aws:iam::123456789012:root", _AWS, "", _FACTS),),
    ),
)
