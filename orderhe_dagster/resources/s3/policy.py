"""The rights on S3 that the store needs, and Redshift's role, and no more. Who is given them: elsewhere."""

from __future__ import annotations

from typing import Any

_KMS = ["kms:GenerateDataKey", "kms:Decrypt"]


def policy(
    bucket: str, prefix: str = "", *, kms_key_arn: str = "", creates: bool = False, region: str = ""
) -> dict[str, Any]:
    """The least IAM policy for a bucket (below a prefix). `creates`: it may make the bucket too."""
    arn = bucket_arn(bucket, region)
    statements: list[dict[str, Any]] = [
        {
            "Sid": "Objects",
            "Effect": "Allow",
            "Action": [
                "s3:GetObject",
                "s3:PutObject",
                "s3:DeleteObject",
                "s3:AbortMultipartUpload",
            ],
            "Resource": f"{arn}/{prefix}/*" if prefix else f"{arn}/*",
        },
        # Without it S3 says 403 of an object that is not there. No condition on the prefix: reading
        # an object is no listing, and would not meet it.
        # Uploads are listed by the janitor, who gives up those of killed runs.
        {
            "Sid": "Absence",
            "Effect": "Allow",
            "Action": ["s3:ListBucket", "s3:ListBucketMultipartUploads"],
            "Resource": arn,
        },
    ]
    if creates:
        actions = ["s3:CreateBucket", "s3:PutBucketPublicAccessBlock"]
        statements.append(
            {"Sid": "Creation", "Effect": "Allow", "Action": actions, "Resource": arn}
        )
    if kms_key_arn:
        statements.append(
            {"Sid": "Key", "Effect": "Allow", "Action": _KMS, "Resource": kms_key_arn}
        )
    return {"Version": "2012-10-17", "Statement": statements}


def publish_policy(bucket: str, prefix: str = "", *, region: str = "") -> dict[str, Any]:
    """The least IAM policy for who publishes and does nothing else: a link reads what its maker may read."""
    below = f"{bucket_arn(bucket, region)}/{prefix}" if prefix else bucket_arn(bucket, region)
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": ["s3:PutObject", "s3:GetObject"],
                "Resource": f"{below}/published/*",
            },
        ],
    }


def role_policy(bucket: str, prefix: str = "", *, region: str = "") -> dict[str, Any]:
    """The least IAM policy for the role that Redshift assumes: COPY of backups, UNLOAD of exports."""
    arn = bucket_arn(bucket, region)
    below = f"{arn}/{prefix}" if prefix else arn
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": ["s3:ListBucket", "s3:GetBucketLocation"],
                "Resource": arn,
            },
            {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"{below}/backup/*"},
            {"Effect": "Allow", "Action": "s3:PutObject", "Resource": f"{below}/unload/*"},
        ],
    }


def bucket_arn(bucket: str, region: str) -> str:
    """A bucket's ARN, in the partition of a region."""
    partition = "aws"
    if region.startswith("cn-"):
        partition = "aws-cn"
    elif region.startswith("us-gov-"):
        partition = "aws-us-gov"
    return f"arn:{partition}:s3:::{bucket}"
