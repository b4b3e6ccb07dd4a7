"""A client of the Data API that says what a test wants: written from AWS's description."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any
from urllib.parse import urlsplit

from local_redshift.testing.server import PASSWORD, USER

HERE = {"Database": "dev", "WorkgroupName": "local"}
"""Where a statement without a session runs."""


def _mac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def signed(
    host: str,
    target: str,
    body: bytes,
    key: str,
    secret: str,
    at: datetime,
    region: str = "eu-west-1",
) -> dict[str, str]:
    """The headers of a request, with its signature."""
    stamp = f"{at:%Y%m%dT%H%M%SZ}"
    scope = f"{at:%Y%m%d}/{region}/redshift-data/aws4_request"
    lines = [f"content-type:application/x-amz-json-1.1\nhost:{host}\nx-amz-date:{stamp}"]
    names = "content-type;host;x-amz-date;x-amz-target"
    lines += [f"x-amz-target:{target}", "", names, hashlib.sha256(body).hexdigest()]
    canonical = "\n".join(["POST", "/", "", *lines])
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    derived = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        derived = _mac(derived, part)
    signature = hmac.new(derived, text.encode(), hashlib.sha256).hexdigest()
    return {
        "Host": host,
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Date": stamp,
        "X-Amz-Target": target,
        "Authorization": f"AWS4-HMAC-SHA256 Credential={key}/{scope}, SignedHeaders={names}, "
        f"Signature={signature}",
    }


@dataclass
class Refusal(Exception):
    """What the service refused a request with."""

    name: str
    message: str
    status: int


@dataclass
class Client:
    """Asks the Data API at `url` as the holder of an access key."""

    url: str
    key: str = USER
    secret: str = PASSWORD

    def send(self, operation: str, members: Any, **headers: str) -> tuple[int, dict[str, Any]]:
        """A request; its status and the members of its answer."""
        where = urlsplit(self.url).netloc
        body = members if isinstance(members, bytes) else json.dumps(members).encode()
        now = datetime.now(timezone.utc)
        own = signed(where, f"RedshiftData.{operation}", body, self.key, self.secret, now)
        given = {name: value for name, value in {**own, **headers}.items() if value}
        link = http.client.HTTPConnection(where, timeout=30)
        try:
            link.request("POST", "/", body, given)
            answer = link.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            link.close()

    def __call__(self, operation: str, **members: Any) -> dict[str, Any]:
        """A request; what it answers. Refusal."""
        status, answer = self.send(operation, members)
        if status != 200:
            raise Refusal(answer["__type"], answer["Message"], status)
        return answer

    def run(self, *sqls: str, **members: Any) -> dict[str, Any]:
        """Run one statement, or several as a batch; the description when it is over."""
        where = {} if "SessionId" in members else HERE
        texts = {"Sql": sqls[0]} if len(sqls) == 1 else {"Sqls": [*sqls]}
        operation = "ExecuteStatement" if len(sqls) == 1 else "BatchExecuteStatement"
        id_ = self(operation, **texts, **where, **members)["Id"]
        while True:
            described = self("DescribeStatement", Id=id_, WaitTimeSeconds=30)
            if described["Status"] in ("FINISHED", "FAILED", "ABORTED"):
                return described

    def rows(self, id_: str) -> list[list[Any]]:
        """Every row of a result, its fields' values alone."""
        rows: list[list[Any]] = []
        token: dict[str, str] = {}
        while True:
            page = self("GetStatementResult", Id=id_, **token)
            rows += [
                [None if one.get("isNull") else next(iter(one.values())) for one in record]
                for record in page["Records"]
            ]
            if "NextToken" not in page:
                return rows
            token = {"NextToken": page["NextToken"]}
