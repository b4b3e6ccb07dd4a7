"""AWSStacks: CloudFormation's stacks, by boto3. Nothing is changed."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from orderhe_dagster.ports.errors import PortError
from orderhe_dagster.ports.stacks import Stack, Stacks
from orderhe_dagster.resources.s3.errors import quotes_credentials

_TIMEOUT_S = 10.0


class AWSStacks(Stacks):
    """The stacks of the account and region that AWS's own settings name."""

    @property
    def region(self) -> str:
        """The region of AWS's settings."""
        return str(self._client.meta.region_name)

    def stack(self, name: str) -> Stack | None:
        """Asked by cloudformation:DescribeStacks."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            found = self._client.describe_stacks(StackName=name)["Stacks"][0]
        except ClientError as error:
            answer = error.response.get("Error", {})
            code, words = str(answer.get("Code", "")), str(answer.get("Message", ""))
            if code == "ValidationError" and "does not exist" in words:
                return None
            raise PortError(
                f"the stack {name} was not told: {code or 'no reason given'}. Whoever runs this needs "
                "cloudformation:DescribeStacks; `aws sts get-caller-identity` says who that is"
            ) from None
        except BotoCoreError as error:
            raise _unasked(error) from None
        outputs = {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", [])}
        return Stack(name, str(found["StackStatus"]), outputs)

    @cached_property
    def _client(self) -> Any:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError

        patience = Config(connect_timeout=_TIMEOUT_S, read_timeout=_TIMEOUT_S)
        try:
            session = boto3.Session()
            if session.get_credentials() is None:
                raise PortError(
                    "there are no AWS credentials here: `aws configure` asks for them, or set AWS_PROFILE"
                )
            return session.client("cloudformation", config=patience)
        except BotoCoreError as error:
            raise _unasked(error) from None


def _unasked(error: Exception) -> PortError:
    words = "its settings hold a line break" if quotes_credentials(error) else str(error)
    return PortError(
        f"AWS was not asked for its stacks: {type(error).__name__}: {' '.join(words.split())[:200]}"
    )
