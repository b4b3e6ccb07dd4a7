"""Passwords that Secrets Manager keeps: asked for when a connection is made, kept nowhere."""

from __future__ import annotations

import json

from orderhe_dagster.ports.errors import PortError
from orderhe_dagster.resources.s3.errors import quotes_credentials

_TIMEOUT_S = 5.0
_TRIES = 3


def password_of(arn: str, user: str) -> str:
    """The password that a secret holds for a user, as it is now: it may have been rotated. PortError.

    A secret is `{"username": …, "password": …}`, as AWS's databases write theirs; one without a user is
    taken for anybody's.
    """
    text = _secret(arn)
    try:
        secret = json.loads(text)
        password, named = str(secret["password"]), str(secret.get("username") or user)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise PortError(
            f'{arn} does not hold {{"username": …, "password": …}}: name another secret, or write it so'
        ) from None
    if named != user:
        raise PortError(f"{arn} is the password of the user {named}, not of {user}: set the other")
    return password


def _secret(arn: str) -> str:
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    patience = Config(
        connect_timeout=_TIMEOUT_S,
        read_timeout=_TIMEOUT_S,
        retries={"total_max_attempts": _TRIES, "mode": "standard"},
    )
    try:
        client = boto3.Session().client(
            "secretsmanager", region_name=arn.split(":")[3], config=patience
        )
        return str(client.get_secret_value(SecretId=arn)["SecretString"])
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", "")) or "no reason given"
        raise PortError(f"{arn} was not told: {code}. {_remedy(code, arn)}") from None
    except KeyError:
        raise PortError(f"{arn} holds bytes, not a text: name the secret of the database") from None
    except (BotoCoreError, ValueError) as error:
        words = "its settings hold a line break" if quotes_credentials(error) else str(error)
        raise PortError(
            f"{arn} was not told: {type(error).__name__}: {' '.join(words.split())[:200]}"
        ) from None


def _remedy(code: str, arn: str) -> str:
    if code == "ResourceNotFoundException":
        return "There is no such secret, or its database was made anew: `orderhe infra env` names today's"
    return (
        f"Whoever runs this needs secretsmanager:GetSecretValue on it: `aws sts get-caller-identity` says "
        f"who that is, `aws secretsmanager get-secret-value --secret-id {arn} --query Name` whether it may"
    )
