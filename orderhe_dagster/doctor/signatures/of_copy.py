"""The signatures of COPY and UNLOAD: Redshift's role, the bucket, the files. Of connecting: `of_redshift`."""

from __future__ import annotations

from orderhe_dagster.doctor.facts import DEFAULT_ROLE, is_own
from orderhe_dagster.doctor.signature import Cure, Example, Facts, Signature

ROLE = "arn:aws:iam::123456789012:role/shop-copy"
_FACTS: Facts = {
    "host": "shop.123456789012.eu-west-1.redshift-serverless.amazonaws.com",
    "port": "5439",
    "user": "loader",
    "database": "dev",
    "role": ROLE,
    "bucket": "shop-backup",
    "key": "shops/one/backup/orders/2026-11-21/run/manifest.json",
    "action": "s3:GetObject",
}
_LOCAL = "seen: the local Redshift with a file of roles"
_REPORTS = "public reports"
_AWS = "AWS's documentation"

READ_POLICY = (
    "aws iam put-role-policy --role-name {role_name} --policy-name orderhe-copy-{place_name} "
    "--policy-document "
    '\'{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:ListBucket",'
    '"s3:GetBucketLocation"],"Resource":"{bucket_arn}"},{"Effect":"Allow","Action":"s3:GetObject",'
    '"Resource":"{objects_arn}backup/*"},{"Effect":"Allow","Action":"s3:PutObject","Resource":'
    '"{objects_arn}unload/*"}]}\''
)
"""The statements of the role that Redshift assumes: the least that COPY and UNLOAD need.

Another bucket or prefix is a policy of another name: what a role was let do before, it still may.
"""
TRUST = (
    "aws iam update-assume-role-policy --role-name {role_name} --policy-document "
    '\'{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":'
    '["redshift.amazonaws.com","redshift-serverless.amazonaws.com"]},"Action":"sts:AssumeRole"}]}\''
)
ATTACH = (
    "aws redshift-serverless update-namespace --region {region} --namespace-name {namespace} --iam-roles "
    "{attached_roles}{role}"
)
"""The default role stays what it is: others may name it by `iam_role default`."""


def _own_roles(facts: Facts) -> bool:
    """Whether the roles are those of the local Redshift, and none of IAM's."""
    return is_own(facts) and "role_name" not in facts


_HERE: Facts = {"host": "127.0.0.1", "role": "default"}
_OF_LOCAL = (
    Cure(
        _own_roles,
        "of the local Redshift",
        "orderhe warehouse serve --roles roles.json",
        "what its roles may is what that file says (docs/warehouse-server.md has one); without a "
        "file they may "
        "all that the store can, but write to what the platform keeps there",
        facts=_HERE,
    ),
)
NARROW = "take that statement out, or narrow it"


def denied_by(kind: str, where: str, command: str, console: str) -> Cure:
    """The fix of an explicit Deny, where S3 says which kind of policy it stands in."""
    place = {"denied_by": kind}
    return Cure(lambda facts: facts.get("denied_by") == kind, where, command, console, "sh", place)


DENIED_FROM_ABOVE = (
    denied_by(
        "service control",
        "of the organisation",
        "aws organizations list-policies-for-target --filter SERVICE_CONTROL_POLICY --target-id "
        "$(aws sts get-caller-identity --query Account --output text)",
        "the organisation's management account runs this, and narrows the statement; those of "
        "the units above the account count, too",
    ),
    denied_by(
        "vpc endpoint",
        "of the VPC's endpoint",
        "aws ec2 describe-vpc-endpoints --query 'VpcEndpoints[].[VpcEndpointId,PolicyDocument]'",
        NARROW,
    ),
)
"""What neither the caller's nor the role's own policies mend."""
_IAM_CONSOLE = "console: IAM > Roles > {role_name} > Add permissions > Create inline policy > JSON"

SIGNATURES = (
    Signature(
        name="copy-kms",
        system="redshift",
        title="The bucket's encryption key refuses Redshift's role",
        cause="objects of {bucket} are encrypted with a key of KMS whose policy, or the role's, "
        "does not let {role_text} decrypt",
        how="the denial names kms",
        command="aws iam put-role-policy --role-name {role_name} --policy-name "
        "orderhe-key-{key_name} --policy-document "
        '\'{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["kms:Decrypt",'
        '"kms:GenerateDataKey"],'
        '"Resource":"{kms_key_arn}"}]}\'',
        console="the key's own policy must agree: KMS > Customer managed keys > Key policy",
        codes=("XX000",),
        pattern=r"kms[:.]|KMS",
        examples=(
            Example(
                "S3ServiceException:User: arn:aws:sts::123456789012:assumed-role/shop-copy/x is "
                "not authorized to perform: "
                "kms:Decrypt,Status 403,Error AccessDenied",
                _REPORTS,
                "XX000",
                _FACTS,
            ),
        ),
    ),
    Signature(
        name="copy-denied-outright",
        system="redshift",
        title="A policy denies Redshift's role outright",
        cause="some policy says Deny to {role_text} (of the bucket, of the role, of the "
        "organisation): adding "
        "rights does not help, that statement must be taken back or narrowed",
        how="S3's answer to Redshift says `explicit deny`",
        command="aws s3api get-bucket-policy --bucket {bucket} --query Policy --output text",
        console="console: S3 > {bucket} > Permissions > Bucket policy; AWS Organizations > "
        "Policies for those of the organisation",
        others=(
            denied_by(
                "permissions boundary",
                "of the role's boundary",
                "aws iam get-role --role-name {role_name} --query Role.PermissionsBoundary",
                "`orderhe doctor` reads it, and prints what it lacks",
            ),
            denied_by(
                "identity-based",
                "of the role's own policies",
                "aws iam list-attached-role-policies --role-name {role_name}\n"
                "aws iam list-role-policies --role-name {role_name}",
                f"`orderhe doctor` reads them, and names the statement; {NARROW}",
            ),
            *DENIED_FROM_ABOVE,
        ),
        codes=("XX000",),
        pattern=r"explicit deny",
        examples=(
            Example(
                "S3ServiceException:User: arn:aws:sts::123456789012:assumed-role/shop-copy/x is "
                "not authorized to perform: s3:GetObject with an explicit deny in a "
                "resource-based policy,Status 403,Error AccessDenied",
                f"{_AWS}, troubleshooting access denied errors of S3",
                "XX000",
                _FACTS,
            ),
        ),
    ),
    Signature(
        name="unload-denied",
        system="redshift",
        title="Redshift's role may not write to the bucket",
        cause="{role_text} has no s3:PutObject below unload/ of {bucket}. Exports then come row by "
        "row, which is slower and works",
        how="UNLOAD was denied by S3",
        command=READ_POLICY,
        console=_IAM_CONSOLE,
        others=_OF_LOCAL,
        codes=("XX000",),
        pattern=r"Access ?Denied",
        when=lambda facts: facts.get("action") == "s3:PutObject",
        examples=(
            Example(
                "S3ServiceException:Access Denied,Status 403,Error AccessDenied,CanRetry 1: S3 key "
                "being read : "
                "s3://shop-backup/unload/x/",
                _LOCAL,
                "XX000",
                {**_FACTS, "action": "s3:PutObject", "key": "unload/x/"},
            ),
        ),
    ),
    Signature(
        name="copy-denied",
        system="redshift",
        title="Redshift's role may not read the bucket",
        cause="COPY reads S3 by {role_text} (ORDERHE_REDSHIFT_IAM_ROLE), not by the credentials of "
        "whoever runs this, and that role "
        "may not read s3://{bucket}/{key}. Without s3:ListBucket, S3 says so of an object that is "
        "not there, too. A policy "
        "of the bucket that denies by address, VPC or signature age denies COPY of Parquet as well",
        how="S3 answered Redshift with 403 AccessDenied",
        command=READ_POLICY,
        console=_IAM_CONSOLE,
        others=_OF_LOCAL,
        codes=("XX000",),
        pattern=r"Access ?Denied",
        examples=(
            Example(
                "S3ServiceException:Access Denied,Status 403,Error AccessDenied,CanRetry 1: S3 key "
                "being read : "
                "s3://shop-backup/shops/one/backup/orders/2026-11-21/run/part-00000.parquet",
                f"{_LOCAL}; {_REPORTS} (embulk#85)",
                "XX000",
                _FACTS,
            ),
        ),
    ),
    Signature(
        name="copy-manifest-denied",
        system="redshift",
        title="Redshift's role may not read the manifest",
        cause="the words are misleading: {role_text} (ORDERHE_REDSHIFT_IAM_ROLE) may not read "
        "s3://{bucket}/{key}, so its policy "
        "names another prefix or bucket, or lacks kms:Decrypt. The object itself is as it should be",
        how="the address in our COPY is a full path, which leaves the role",
        command=READ_POLICY,
        console=_IAM_CONSOLE,
        others=_OF_LOCAL,
        pattern=r"COPY with MANIFEST parameter requires full path",
        examples=(
            Example(
                "COPY with MANIFEST parameter requires full path of an S3 object: "
                "s3://shop-backup/shops/one/backup/orders/2026-11-21/run/manifest.json",
                f"{_LOCAL}; {_REPORTS} (posthog#61603)",
                "XX000",
                _FACTS,
            ),
        ),
    ),
    Signature(
        name="copy-no-bucket",
        system="redshift",
        title="Redshift finds no such bucket",
        cause="there is no bucket {bucket}: ORDERHE_S3_BUCKET is misspelt, or the local Redshift "
        "was started with another store",
        how="S3 answered Redshift with 404 NoSuchBucket",
        command="aws s3api head-bucket --bucket {bucket}\norderhe create",
        others=(
            Cure(
                _own_roles,
                "of the local Redshift",
                "orderhe create",
                "or start `orderhe warehouse serve` with the same ORDERHE_STORE and ORDERHE_S3_* "
                "as its client",
                facts=_HERE,
            ),
        ),
        pattern=r"NoSuchBucket|specified bucket does not exist|no bucket of",
        examples=(
            Example(
                "S3ServiceException:The specified bucket does not exist,Status 404,Error "
                "NoSuchBucket: S3 key being read : "
                "s3://shop-backup/x",
                _LOCAL,
                "XX000",
                _FACTS,
            ),
        ),
    ),
    Signature(
        name="copy-no-object",
        system="redshift",
        title="An object of the backup is not there",
        cause="a manifest or a part that it names was removed, or Redshift reads another bucket "
        "than the backup is in",
        how="S3 answered Redshift with 404 NoSuchKey",
        command="orderhe restore --check",
        console="it names every object that is lost; the error above has the command that backs "
        "the days up again",
        pattern=r"NoSuchKey|specified key does not exist|S3 prefix '.*' does not exist|mandatory file",
        examples=(
            Example(
                "S3ServiceException:The specified key does not exist.,Status 404,Error NoSuchKey: "
                "S3 key being read : "
                "s3://shop-backup/x",
                _LOCAL,
                "XX000",
                _FACTS,
            ),
            Example(
                "Problem reading manifest file - S3ServiceException:The specified key does not "
                "exist.,Status 404,Error "
                "NoSuchKey",
                f"{_REPORTS} (databricks/spark-redshift#136)",
                "XX000",
                _FACTS,
            ),
            Example(
                "The specified S3 prefix 'main/x' does not exist",
                f"{_REPORTS} (apache/hop#3469)",
                "XX000",
                _FACTS,
            ),
        ),
    ),
    Signature(
        name="copy-other-region",
        system="redshift",
        title="Bucket and Redshift are in different regions",
        cause="COPY of Parquet takes no REGION: {bucket} must lie in the region of the workgroup",
        how="S3 redirected Redshift to another region (301)",
        command="aws s3api get-bucket-location --bucket {bucket}",
        console="make a bucket in the workgroup's region ({region}), set ORDERHE_S3_BUCKET to it, "
        "then: orderhe create && orderhe "
        "run '*' --accept lost_backups",
        pattern=r"PermanentRedirect|addressed using the specified endpoint|different region",
        examples=(
            Example(
                "S3ServiceException:The bucket you are attempting to access must be addressed "
                "using the specified endpoint. "
                "Please send all future requests to this endpoint.,Status 301,Error PermanentRedirect",
                f"{_LOCAL}; {_AWS}, troubleshooting load errors",
                "XX000",
                _FACTS,
            ),
        ),
    ),
    Signature(
        name="copy-region-argument",
        system="redshift",
        title="COPY of Parquet takes no REGION",
        cause="a statement of one's own names a region: columnar COPY refuses that even where it "
        "is the same one",
        how="Redshift says so",
        kind="sql",
        command="copy <table> from 's3://{bucket}/{key}' iam_role default format as parquet manifest;",
        pattern=r"REGION argument is not supported",
        examples=(
            Example(
                "REGION argument is not supported for PARQUET based COPY",
                f"{_AWS}, columnar formats",
                "0A000",
                _FACTS,
            ),
        ),
    ),
    Signature(
        name="copy-option",
        system="redshift",
        title="COPY of Parquet does not take that option, or keys",
        cause="a statement of one's own has an option of text files, or keys instead of a role",
        how="Redshift names the option",
        kind="sql",
        command="copy <table> from 's3://{bucket}/{key}' iam_role default format as parquet manifest;",
        pattern=r"argument is not supported for PARQUET|only accepts IAM_ROLE credentials",
        examples=(
            Example(
                "TRUNCATECOLUMNS argument is not supported for PARQUET based COPY",
                _REPORTS,
                "0A000",
                _FACTS,
            ),
            Example(
                "COPY from this file format only accepts IAM_ROLE credentials.",
                _LOCAL,
                "XX000",
                _FACTS,
            ),
        ),
    ),
    Signature(
        name="role-not-attached",
        system="redshift",
        title="The role is not attached to the Redshift",
        cause="{role_text} exists or not, but the namespace does not have it among its roles, so "
        "Redshift may not use it",
        how="Redshift says `not associated to cluster` (error type 138, 136)",
        command=ATTACH,
        console="that replaces the list, so the roles it has already stand in it, too; console: "
        "Redshift > Serverless > "
        "Namespace {namespace} > Security and encryption > Manage IAM roles > Associate",
        others=_OF_LOCAL,
        pattern=r"not associated to cluster|not associated with|error type : 13[68]",
        examples=(
            Example(
                f"exception name : UnauthorizedException, error type : 138, message : The "
                f"requested role {ROLE} is not "
                "associated to cluster, should retry : 0",
                f"{_LOCAL}; {_REPORTS}",
                "XX000",
                _FACTS,
            ),
        ),
    ),
    Signature(
        name="role-not-trusted",
        system="redshift",
        title="The role does not let Redshift assume it",
        cause="the trust policy of {role_text} must name both services: redshift.amazonaws.com and "
        "redshift-serverless.amazonaws.com",
        how="Redshift got no credentials of the role (error type 135)",
        command=TRUST,
        console="console: IAM > Roles > {role_name} > Trust relationships > Edit; takes a minute. "
        "The command replaces the policy: what else it says must stand in it, too",
        others=_OF_LOCAL,
        pattern=r"Not authorized to get credentials of role|error type : 135",
        examples=(
            Example(
                "exception name : UnauthorizedException, error type : 135, message : Not "
                "authorized to get credentials of "
                f"role {ROLE}, should retry : 0",
                f"{_LOCAL}; {_REPORTS}",
                "XX000",
                _FACTS,
            ),
        ),
    ),
    Signature(
        name="role-not-assumable",
        system="redshift",
        title="The role cannot be assumed: attached, trusted, or its name",
        cause="{role_text} is not attached, does not trust Redshift, or its ARN is wrong (account, "
        "or a path like service-role/)",
        how="Redshift says `not authorized to assume IAM Role` (8001)",
        command=f"aws iam get-role --role-name {{role_name}}\n{TRUST}\n{ATTACH}",
        others=_OF_LOCAL,
        pattern=r"not authorized to assume IAM Role",
        examples=(
            Example(
                "User arn:aws:redshift:eu-west-1:123456789012:dbuser:shop/loader is not authorized "
                "to assume IAM Role "
                f"{ROLE}",
                f"{_REPORTS} (hauser#10)",
                "XX000",
                _FACTS,
            ),
        ),
    ),
    Signature(
        name="role-no-default",
        system="redshift",
        title="The namespace has no default role",
        cause="ORDERHE_REDSHIFT_IAM_ROLE is `default`, and none was made the default",
        how="Redshift says so",
        kind="env",
        command="ORDERHE_REDSHIFT_IAM_ROLE=<the ARN of the role>",
        console="or make it the default: Redshift > Serverless > Namespace > Security and "
        "encryption > Set default",
        pattern=r"[Dd]efault IAM role is not set|no default IAM role",
        examples=(
            Example(
                "The default IAM role is not set for this namespace: iam_role default",
                _LOCAL,
                "XX000",
                {**_FACTS, "role": "default"},
            ),
        ),
    ),
    Signature(
        name="role-not-granted",
        system="redshift",
        title="The database's user may not use the role",
        cause="{user} has no ASSUMEROLE on {role_text}",
        how="Redshift names ASSUMEROLE",
        kind="sql",
        command="grant assumerole on '{role}' to {user} for copy, unload;",
        console="as the administrator, and on the same form that COPY uses: the ARN, or default",
        others=(
            Cure(
                lambda facts: facts.get("role_text") == DEFAULT_ROLE,
                "where ORDERHE_REDSHIFT_IAM_ROLE is default",
                "grant assumerole on default to {user} for copy, unload;",
                "as the administrator",
                "sql",
                {"role": "default"},
            ),
        ),
        pattern=r"ASSUMEROLE",
        examples=(
            Example(f"must have ASSUMEROLE privilege on {ROLE}", f"{_AWS}, GRANT", "42501", _FACTS),
        ),
    ),
    Signature(
        name="redshift-no-right-to-relation",
        system="redshift",
        title="The database's user may not read that table or view",
        cause="{user} has no right on it; a table that is built anew has those of its schema's default "
        "privileges alone",
        how="Redshift says `permission denied for relation` (42501)",
        kind="sql",
        command="grant usage on schema mart to {user};\ngrant select on all tables in schema mart to {user};",
        console="docs/bi.md has what a reader of marts needs. Who loads and builds is the user that ran "
        "`orderhe create`, and owns what it made: see ORDERHE_REDSHIFT_USER",
        pattern=r"permission denied for (relation|table|view)",
        examples=(Example("permission denied for relation orders", _AWS, "42501", _FACTS),),
    ),
    Signature(
        name="redshift-permission-denied",
        system="redshift",
        title="The database's user lacks a right",
        cause="{user} may not do that with the schema or table",
        how="Redshift says `permission denied` (42501)",
        kind="sql",
        command="grant create on database {database} to {user};\ngrant usage on schema warehouse, "
        "mart to {user};",
        console="the user that ran `orderhe create` owns what it made, so the simplest is to use "
        "one user for all of it",
        pattern=r"permission denied|must be owner|must be superuser",
        examples=(
            Example(
                "permission denied for schema mart",
                "PostgreSQL's words, SQLSTATE 42501",
                "42501",
                _FACTS,
            ),
        ),
    ),
    Signature(
        name="copy-columns-differ",
        system="redshift",
        title="The files have another number of columns than the table",
        cause="Parquet is copied by position: the backup is of an older form of the contract",
        how="Redshift counted them (15007)",
        command="orderhe adopt --update\norderhe run '*'",
        pattern=r"Unmatched number of columns",
        examples=(
            Example(
                "Spectrum Scan Error: Unmatched number of columns between table and file. Table "
                "columns: 20, Data columns: 16, "
                "File name: https://s3.eu-west-1.amazonaws.com/x",
                f"{_LOCAL}; {_REPORTS} (rudder-server#3178)",
                "XX000",
                _FACTS,
            ),
        ),
    ),
    Signature(
        name="copy-text-too-long",
        system="redshift",
        title="A text is longer than its column",
        cause="a column of Redshift's counts bytes, and a value has more than it holds",
        how="Redshift names table and file lengths (15007)",
        command="orderhe adopt --update",
        console="widen the column in its contract (varchar(n) of MySQL's is 4n bytes), then: orderhe run '*'",
        pattern=r"length of the data column|value too long|exceeds DDL length",
        examples=(
            Example(
                "Spectrum Scan Error: The length of the data column city is longer than the length "
                "defined in the table. "
                "Table: 32, Data: 33",
                f"{_LOCAL}; {_REPORTS}",
                "XX000",
                _FACTS,
            ),
        ),
    ),
    Signature(
        name="copy-types-differ",
        system="redshift",
        title="The files' types are not the table's",
        cause="Parquet is typed: int64 does not go into INTEGER, double not into DECIMAL. The "
        "files were written by another "
        "program, or for an older form of the contract. The message is cut off: svl_s3log has all of it",
        how="Redshift says `incompatible Parquet schema` (15007)",
        command="orderhe adopt --update\norderhe run '*'",
        pattern=r"incompatible Parquet s|Spectrum Scan Error",
        examples=(
            Example(
                "Spectrum Scan Error: File 'https://s3.eu-west-1.amazonaws.com/x' has an "
                "incompatible Parquet schema for column "
                "'s3://",
                f"{_LOCAL}; {_REPORTS}",
                "XX000",
                _FACTS,
            ),
        ),
    ),
    Signature(
        name="copy-manifest-stale",
        system="redshift",
        title="The manifest does not fit its objects",
        cause="each entry needs the exact size of its object; the objects, or the manifest, were "
        "changed by hand",
        how="Redshift names the entry (15003)",
        command="orderhe restore --check",
        console="it names every object that is not as it was written",
        pattern=r"does not have 'meta' key|content_length|the manifest says \d+ bytes",
        examples=(
            Example(
                "File entry does not have 'meta' key.", f"{_LOCAL}; {_REPORTS}", "XX000", _FACTS
            ),
            Example(
                "the manifest says 12 bytes of s3://shop-backup/x, there are 13: write the manifest anew",
                _LOCAL,
                "XX000",
                _FACTS,
            ),
        ),
    ),
    Signature(
        name="copy-slow-down",
        system="redshift",
        title="S3 asks Redshift for fewer requests",
        cause="too much was asked of one prefix at once; it passes",
        how="S3 answered Redshift with 503",
        command="orderhe run '*'",
        pattern=r"SlowDown|reduce your request rate|Status 503",
        examples=(
            Example(
                "S3ServiceException:Please reduce your request rate.,Status 503,Error SlowDown",
                _REPORTS,
                "XX000",
                _FACTS,
            ),
        ),
    ),
    Signature(
        name="copy-fetch",
        system="redshift",
        title="Redshift's own way to S3 is cut",
        cause="with enhanced VPC routing, Redshift reaches S3 through its VPC alone, which needs a "
        "gateway endpoint of S3",
        how="Redshift's reading of S3 timed out",
        command="aws ec2 create-vpc-endpoint --region {region} --vpc-id {vpc} --service-name "
        "com.amazonaws.{region}.s3 "
        "--route-table-ids {route_tables}",
        console="a gateway endpoint costs nothing; or turn enhanced VPC routing off: Workgroup > "
        "Network and security > Edit",
        pattern=r"S3 Query Exception \(Fetch\)|S3ServiceException:.*[Tt]ime ?out|curlCode",
        examples=(
            Example(
                "S3 Query Exception (Fetch). Task failed due to an internal error. Connection timed out",
                _REPORTS,
                "XX000",
                _FACTS,
            ),
        ),
    ),
    Signature(
        name="unload-not-empty",
        system="redshift",
        title="UNLOAD finds objects at its address",
        cause="an UNLOAD of one's own names a prefix that has objects already; the pipeline's own "
        "prefixes are new each time",
        how="Redshift says so",
        command="orderhe janitor --all",
        console="name a fresh prefix; ALLOWOVERWRITE and CLEANPATH remove what lies there",
        pattern=r"unload destination on S3 is not empty",
        examples=(
            Example(
                "Specified unload destination on S3 is not empty. Consider using a different bucket / prefix",
                _LOCAL,
                "XX000",
                _FACTS,
            ),
        ),
    ),
)
