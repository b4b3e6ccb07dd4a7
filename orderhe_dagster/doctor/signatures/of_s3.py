"""The signatures of the store: S3 as the pipeline meets it. Redshift's own reading is `of_copy`'s."""

from __future__ import annotations

from orderhe_dagster.doctor.facts import own_store
from orderhe_dagster.doctor.signature import Cure, Example, Facts, Signature
from orderhe_dagster.doctor.signatures.of_copy import DENIED_FROM_ABOVE, NARROW, denied_by

_FACTS: Facts = {
    "bucket": "shop-backup",
    "prefix": "shops/one",
    "region": "eu-west-1",
    "operation": "PutObject",
    "action": "s3:PutObject",
    "scope": "objects",
}
_BUCKET: Facts = {
    **_FACTS,
    "operation": "ListObjectsV2",
    "action": "s3:ListBucket",
    "scope": "bucket",
}
_OWN: Facts = {**_FACTS, "endpoint": "http://localhost:9000"}
_MOTO = "seen: moto with IAM enforced"
_AWS = "AWS's documentation, S3's error responses"
_BOTOCORE = "seen: botocore"
_DENIED = ("AccessDenied", "403", "Forbidden", "AllAccessDisabled")
_RIGHTS = (
    "aws iam put-user-policy --user-name {caller_name} --policy-name orderhe-store-{place_name} "
    "--policy-document "
    '\'{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject",'
    '"s3:DeleteObject","s3:AbortMultipartUpload"],"Resource":"{objects_arn}*"},{"Effect":"Allow","Action":'
    '["s3:ListBucket","s3:ListBucketMultipartUploads"],"Resource":"{bucket_arn}"}]}\''
)


def _own(command: str, console: str = "") -> Cure:
    """The fix on a server that is not Amazon's S3: it has users and rights of its own."""
    return Cure(own_store, "on a server of one's own", command, console, "sh", _OWN)


_OWN_RIGHTS = _own(
    "aws s3api list-objects-v2 --endpoint-url {endpoint} --bucket {bucket} --max-items 1",
    "as the administrator of {endpoint}, give this access key s3:GetObject, s3:PutObject, "
    "s3:DeleteObject and "
    "s3:AbortMultipartUpload below {objects_arn}, s3:ListBucket and s3:ListBucketMultipartUploads on "
    "{bucket_arn} (of MinIO: mc admin policy)",
)
_ROLE = (
    "for a role: aws iam put-role-policy --role-name <role>, with the same document (docs/s3.md)"
)
_LOGIN = (
    "set AWS_PROFILE (and run `aws sso login`), or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and "
    "AWS_SESSION_TOKEN)"
)

SIGNATURES = (
    Signature(
        name="s3-kms",
        system="s3",
        title="The encryption key refuses",
        cause="the bucket or ORDERHE_S3_KMS_KEY_ID encrypts with a key of KMS that this caller may "
        "not use, or that is disabled",
        how="the answer names kms",
        command="aws iam put-user-policy --user-name {caller_name} --policy-name orderhe-key-{key_name} "
        "--policy-document "
        '\'{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["kms:GenerateDataKey",'
        '"kms:Decrypt"],'
        '"Resource":"{kms_key_arn}"}]}\'',
        console="the key's own policy must agree: KMS > Customer managed keys > Key policy",
        others=(
            _own(
                "aws s3api get-bucket-encryption --endpoint-url {endpoint} --bucket {bucket}",
                "see the key server of {endpoint}; or leave ORDERHE_S3_SSE and ORDERHE_S3_KMS_KEY_ID out",
            ),
        ),
        pattern=r"kms[:.]|KMS\.",
        examples=(
            Example(
                "AccessDenied: User: arn:aws:iam::123456789012:user/etl is not authorized to "
                "perform: kms:GenerateDataKey on "
                "resource: arn:aws:kms:eu-west-1:123456789012:key/1",
                _AWS,
                "AccessDenied",
                _FACTS,
            ),
            Example(
                "KMS.DisabledException: the key is disabled", _AWS, "KMS.DisabledException", _FACTS
            ),
        ),
    ),
    Signature(
        name="s3-denied-outright",
        system="s3",
        title="A policy denies it outright",
        cause="some policy says Deny (of the bucket, of the caller, of the organisation): adding "
        "rights does not help, that "
        "statement must be taken back or narrowed",
        how="the answer says `explicit deny`",
        command="aws s3api get-bucket-policy --bucket {bucket} --query Policy --output text",
        console="console: S3 > {bucket} > Permissions > Bucket policy; AWS Organizations > "
        "Policies for those of the organisation",
        others=(
            _own(
                "aws s3api get-bucket-policy --endpoint-url {endpoint} --bucket {bucket} --query Policy "
                "--output text",
                NARROW,
            ),
            denied_by(
                "permissions boundary",
                "of the caller's boundary",
                "aws iam get-user --user-name {caller_name} --query User.PermissionsBoundary",
                "for a role: aws iam get-role. The statement is taken out of a new version of that policy: "
                "aws iam create-policy-version --set-as-default",
            ),
            denied_by(
                "identity-based",
                "of the caller's own policies",
                "aws iam list-attached-user-policies --user-name {caller_name}\n"
                "aws iam list-user-policies --user-name {caller_name}",
                f"for a role: list-attached-role-policies, list-role-policies; {NARROW}",
            ),
            *DENIED_FROM_ABOVE,
        ),
        pattern=r"explicit deny",
        codes=_DENIED,
        examples=(
            Example(
                "AccessDenied: User: arn:aws:iam::123456789012:user/etl is not authorized to "
                "perform: s3:PutObject on resource: "
                '"arn:aws:s3:::shop-backup/x" with an explicit deny in a resource-based policy',
                _AWS,
                "AccessDenied",
                _FACTS,
            ),
        ),
    ),
    Signature(
        name="s3-denied-bucket",
        system="s3",
        title="The bucket may not be looked at, or is somebody else's",
        cause="this caller has no {action} on {bucket}; or the name belongs to another account: "
        "names of buckets are unique in the "
        "world",
        how="S3 answered 403 to a request about the bucket itself",
        command=_RIGHTS,
        console=_ROLE + ". Is it yours? aws s3api list-buckets --query 'Buckets[].Name'",
        others=(_OWN_RIGHTS,),
        codes=_DENIED,
        when=lambda facts: facts.get("scope") == "bucket",
        examples=(Example("AccessDenied: Access Denied", _MOTO, "AccessDenied", _BUCKET),),
    ),
    Signature(
        name="s3-denied",
        system="s3",
        title="The caller may not do that with the bucket's objects",
        cause="this caller has no {action} below {objects_arn}. Of reading, S3 says so of an "
        "object that is not there, too, where "
        "s3:ListBucket is not allowed",
        how="S3 answered 403 AccessDenied",
        command=_RIGHTS,
        console=_ROLE,
        others=(_OWN_RIGHTS,),
        codes=_DENIED,
        examples=(
            Example("AccessDenied: Access Denied", _MOTO, "AccessDenied", _FACTS),
            Example(
                "AccessDenied: Access Denied",
                _MOTO,
                "AccessDenied",
                {**_FACTS, "action": "s3:GetObject"},
            ),
        ),
    ),
    Signature(
        name="s3-no-bucket",
        system="s3",
        title="There is no such bucket",
        cause="{bucket} was not made yet, was removed, or is misspelt",
        how="S3 answered 404 NoSuchBucket",
        command="orderhe create",
        console="or set ORDERHE_S3_BUCKET to one of: aws s3api list-buckets --query 'Buckets[].Name'",
        others=(
            _own(
                "orderhe create",
                "or set ORDERHE_S3_BUCKET to one of: aws s3api list-buckets --endpoint-url "
                "{endpoint} --query "
                "'Buckets[].Name'",
            ),
        ),
        codes=("NoSuchBucket", "404"),
        examples=(
            Example(
                "NoSuchBucket: The specified bucket does not exist", _MOTO, "NoSuchBucket", _FACTS
            ),
        ),
    ),
    Signature(
        name="s3-taken",
        system="s3",
        title="The bucket's name belongs to another account",
        cause="names of buckets are unique in the world, and somebody else has {bucket}",
        how="S3 says so",
        kind="env",
        command="ORDERHE_S3_BUCKET=<another name>",
        codes=("BucketAlreadyExists",),
        examples=(
            Example(
                "BucketAlreadyExists: The requested bucket name is not available. The bucket "
                "namespace is shared by all users "
                "of the system.",
                _MOTO,
                "BucketAlreadyExists",
                _FACTS,
            ),
        ),
    ),
    Signature(
        name="s3-bad-name",
        system="s3",
        title="That is not a bucket's name",
        cause="{bucket} breaks the rules for names: 3 to 63 lower-case letters, digits, dots and hyphens",
        how="S3 says so",
        kind="env",
        command="ORDERHE_S3_BUCKET=<another name>",
        codes=("InvalidBucketName",),
        examples=(
            Example(
                "InvalidBucketName: The specified bucket is not valid.",
                _AWS,
                "InvalidBucketName",
                _FACTS,
            ),
        ),
    ),
    Signature(
        name="s3-other-region",
        system="s3",
        title="The bucket is in another region",
        cause="AWS_DEFAULT_REGION is {region}, and {bucket} lies elsewhere; it must be in the "
        "region of the Redshift that reads it",
        how="S3 redirected to another region",
        command="aws s3api get-bucket-location --bucket {bucket}\nexport AWS_DEFAULT_REGION=<that region>",
        others=(
            _own(
                "aws s3api get-bucket-location --endpoint-url {endpoint} --bucket {bucket}\n"
                "export AWS_DEFAULT_REGION=<that region>",
            ),
        ),
        codes=(
            "PermanentRedirect",
            "301",
            "AuthorizationHeaderMalformed",
            "IllegalLocationConstraintException",
        ),
        examples=(
            Example(
                "PermanentRedirect: The bucket you are attempting to access must be addressed "
                "using the specified endpoint.",
                "seen: a server's answer of a test",
                "PermanentRedirect",
                _FACTS,
            ),
            Example(
                "AuthorizationHeaderMalformed: The authorization header is malformed; the region "
                "'us-east-1' is wrong; expecting "
                "'eu-west-1'",
                _AWS,
                "AuthorizationHeaderMalformed",
                _FACTS,
            ),
            Example(
                "IllegalLocationConstraintException: The unspecified location constraint is incompatible",
                _AWS,
                "IllegalLocationConstraintException",
                _FACTS,
            ),
        ),
    ),
    Signature(
        name="s3-unknown-key",
        system="s3",
        title="The access key is not known",
        cause="AWS_ACCESS_KEY_ID (or the profile's) was deleted, is another server's, or is misspelt",
        how="S3 says so",
        command="aws configure",
        console=_LOGIN,
        codes=("InvalidAccessKeyId",),
        examples=(
            Example(
                "InvalidAccessKeyId: The AWS Access Key Id you provided does not exist in our records.",
                _MOTO,
                "InvalidAccessKeyId",
                _FACTS,
            ),
        ),
    ),
    Signature(
        name="s3-wrong-secret",
        system="s3",
        title="The secret does not belong to the access key",
        cause="AWS_SECRET_ACCESS_KEY is another key's, or was copied with a sign too few or too many",
        how="S3 computed another signature",
        command="aws configure",
        console=_LOGIN,
        codes=("SignatureDoesNotMatch",),
        examples=(
            Example(
                "SignatureDoesNotMatch: The request signature we calculated does not match the "
                "signature you provided.",
                _MOTO,
                "SignatureDoesNotMatch",
                _FACTS,
            ),
        ),
    ),
    Signature(
        name="s3-expired",
        system="s3",
        title="The credentials have expired",
        cause="they were for some hours, and those are over",
        how="S3 says so, or the sign-on that renews them",
        command="aws sso login",
        console="or renew AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, all three of them",
        codes=(
            *(
                "ExpiredToken",
                "ExpiredTokenException",
                "RequestExpired",
                "TokenRefreshRequired",
                "InvalidToken",
            ),
            *(
                "TokenRetrievalError",
                "CredentialRetrievalError",
                "SSOTokenLoadError",
                "UnauthorizedSSOTokenError",
            ),
        ),
        examples=(
            Example(
                "ExpiredToken: The provided token has expired.",
                "seen: a server's answer of a test",
                "ExpiredToken",
                _FACTS,
            ),
            Example(
                "InvalidToken: The provided token is malformed or otherwise invalid.",
                _AWS,
                "InvalidToken",
                _FACTS,
            ),
            Example(
                "Error when retrieving token from sso: Token has expired and refresh failed",
                _BOTOCORE,
                "TokenRetrievalError",
                _FACTS,
            ),
        ),
    ),
    Signature(
        name="s3-no-credentials",
        system="s3",
        title="There are no AWS credentials",
        cause="neither variables, nor a profile, nor the machine's role gives any. A .env file is "
        "read for ORDERHE_* only",
        how="AWS's client had nothing to sign with",
        command="aws configure",
        console=_LOGIN,
        codes=("NoCredentialsError", "PartialCredentialsError"),
        examples=(
            Example("Unable to locate credentials", _BOTOCORE, "NoCredentialsError", _FACTS),
            Example(
                "Partial credentials found in env, missing: AWS_SECRET_ACCESS_KEY",
                _BOTOCORE,
                "PartialCredentialsError",
                _FACTS,
            ),
        ),
    ),
    Signature(
        name="s3-no-profile",
        system="s3",
        title="AWS's configuration is wrong",
        cause="AWS_PROFILE names a profile that is not there, or a file in ~/.aws cannot be read",
        how="AWS's client stopped before it asked anything",
        command="aws configure list-profiles",
        console="set AWS_PROFILE to one of them",
        codes=("ProfileNotFound", "ConfigNotFound", "ConfigParseError", "InvalidConfigError"),
        examples=(
            Example(
                "The config profile (shop) could not be found", _BOTOCORE, "ProfileNotFound", _FACTS
            ),
        ),
    ),
    Signature(
        name="s3-no-region",
        system="s3",
        title="No AWS region is set, or none that there is",
        cause="AWS_DEFAULT_REGION is empty or misspelt; the Python client does not read AWS_REGION",
        how="AWS's client stopped before it asked anything",
        command="export AWS_DEFAULT_REGION=<the bucket's region>",
        codes=("NoRegionError", "InvalidRegionError"),
        examples=(
            Example("You must specify a region.", _BOTOCORE, "NoRegionError", _FACTS),
            Example(
                "Provided region_name 'Frankfurt!' doesn't match a supported format.",
                _BOTOCORE,
                "InvalidRegionError",
                _FACTS,
            ),
        ),
    ),
    Signature(
        name="s3-clock",
        system="s3",
        title="This machine's clock is wrong",
        cause="signatures are good for 15 minutes, and this clock is off by more",
        how="S3 compared the times",
        command="sudo timedatectl set-ntp true",
        codes=("RequestTimeTooSkewed",),
        examples=(
            Example(
                "RequestTimeTooSkewed: The difference between the request time and the current "
                "time is too large.",
                "seen: a server's answer of a test",
                "RequestTimeTooSkewed",
                _FACTS,
            ),
        ),
    ),
    Signature(
        name="s3-slow-down",
        system="s3",
        title="S3 asks for fewer requests",
        cause="too much was asked of one prefix at once, in all of eight tries",
        how="S3 answered 503",
        command="orderhe run '*'",
        codes=("SlowDown", "503", "ServiceUnavailable"),
        examples=(
            Example(
                "SlowDown: Please reduce your request rate.",
                "seen: a server's answer of a test",
                "SlowDown",
                _FACTS,
            ),
        ),
    ),
    Signature(
        name="s3-archived",
        system="s3",
        title="An object lies in an archive",
        cause="a lifecycle rule moved backups to Glacier, where they cannot be read before they are restored",
        how="S3 says so",
        command="aws s3api get-bucket-lifecycle-configuration --bucket {bucket}",
        console="restore the objects (aws s3api restore-object), and let the rule leave backup/ alone",
        others=(
            _own(
                "aws s3api get-bucket-lifecycle-configuration --endpoint-url {endpoint} --bucket {bucket}",
                "bring the objects back on {endpoint}, and let the rule leave backup/ alone",
            ),
        ),
        codes=("InvalidObjectState",),
        examples=(
            Example(
                "InvalidObjectState: The operation is not valid for the object's storage class",
                _AWS,
                "InvalidObjectState",
                _FACTS,
            ),
        ),
    ),
    Signature(
        name="s3-full",
        system="s3",
        title="The store has no room left",
        cause="the disk of {endpoint} is full; Amazon's S3 has no such limit",
        how="the server says so",
        command="orderhe janitor",
        codes=("XMinioStorageFull", "QuotaExceeded"),
        examples=(
            Example(
                "XMinioStorageFull: Storage backend has reached its minimum free drive threshold.",
                "MinIO's words",
                "XMinioStorageFull",
                _OWN,
            ),
        ),
    ),
    Signature(
        name="s3-no-conditional-writes",
        system="s3",
        title="The server takes no conditional writes",
        cause="what is current is decided by If-None-Match and If-Match; {endpoint} does not know "
        "them, so two runs could overwrite "
        "each other unseen",
        how="a write that had to fail passed, or the server says NotImplemented",
        kind="env",
        command="ORDERHE_S3_ENDPOINT_URL=<a server that has them: Amazon's S3, MinIO, Ceph of 2024 "
        "and later>",
        codes=("NotImplemented", "501", "unconditional"),
        examples=(
            Example(
                "NotImplemented: A header you provided implies functionality that is not implemented",
                "seen: a server's answer of a test",
                "NotImplemented",
                _OWN,
            ),
        ),
    ),
    Signature(
        name="s3-no-tls",
        system="s3",
        title="What answers at the endpoint speaks no TLS",
        cause="ORDERHE_S3_ENDPOINT_URL begins with https:// and the server at {endpoint} answers in clear",
        how="TLS met something else",
        kind="env",
        command="ORDERHE_S3_ENDPOINT_URL=http://<the same host and port, on this machine or its "
        "network alone>",
        pattern=r"wrong.version.number|record.layer.failure|WRONG_VERSION",
        examples=(
            Example(
                "SSL validation failed for https://localhost:9000 [SSL: WRONG_VERSION_NUMBER] "
                "wrong version number",
                _BOTOCORE,
                "SSLError",
                {**_FACTS, "endpoint": "https://localhost:9000"},
            ),
        ),
    ),
    Signature(
        name="s3-certificate",
        system="s3",
        title="The store's certificate is not to be trusted",
        cause="its chain ends at nobody who is known here, or its name is another: a company's "
        "proxy, or a server of one's own",
        how="TLS began, and the certificate was refused",
        command="export AWS_CA_BUNDLE=<the file of the CA>",
        console="where the name is wrong, mend the host of ORDERHE_S3_ENDPOINT_URL",
        codes=("SSLError",),
        examples=(
            Example(
                "SSL validation failed for https://localhost:9000 [SSL: CERTIFICATE_VERIFY_FAILED] "
                "certificate verify failed",
                _BOTOCORE,
                "SSLError",
                _OWN,
            ),
        ),
    ),
    Signature(
        name="s3-unreachable",
        system="s3",
        title="The store does not answer",
        cause="{endpoint} cannot be reached: the address, the network, a proxy or the region's name is wrong",
        how="no answer came in all tries",
        kind="env",
        command="ORDERHE_S3_ENDPOINT_URL=<its address; empty for Amazon's>",
        console="see AWS_DEFAULT_REGION, HTTPS_PROXY and the network; from a private subnet, "
        "Amazon's S3 needs a gateway endpoint",
        codes=(
            *(
                "EndpointConnectionError",
                "ConnectTimeoutError",
                "ConnectionClosedError",
                "ReadTimeoutError",
            ),
            *(
                "ProxyConnectionError",
                "HTTPClientError",
                "ResponseStreamingError",
                "IncompleteReadError",
            ),
        ),
        examples=(
            Example(
                "Could not connect to the endpoint URL: http://localhost:9000",
                _BOTOCORE,
                "EndpointConnectionError",
                _OWN,
            ),
            Example(
                "Connect timeout on endpoint URL: http://localhost:9000",
                _BOTOCORE,
                "ConnectTimeoutError",
                _OWN,
            ),
        ),
    ),
)
