"""Requests to Redshift's Data API: sent, sent again, waited for. What its answers mean is `data_api`'s."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from orderhe_dagster.ports.errors import ConnectionLost, PortError, Symptom, as_told_by
from orderhe_dagster.resources.redshift.data_errors import BUSY, SessionGone, place, request_error
from orderhe_dagster.resources.redshift.errors import facts_of, shown
from orderhe_dagster.resources.redshift.repeating import pause
from orderhe_dagster.resources.s3.client import Connection, client_of
from orderhe_dagster.resources.s3.errors import code_of
from orderhe_dagster.settings.config import RedshiftSettings

log = logging.getLogger("orderhe.redshift")
_TRIES = 4  # of a request by AWS's client: connections that break, answers of 500 and more
_ROUNDS = 8  # of such tries, while the service has too much to do
_LOST_ROUNDS = 2  # more of them, to learn whether a request was taken in
_WAIT_S = 20  # that the service may keep an answer back, until a statement is over
OVER = ("FINISHED", "FAILED", "ABORTED")
"""The states of a statement that it does not leave any more."""
Members = dict[str, Any]


@dataclass(frozen=True)
class DataClient:
    """The Data API of the warehouse that `settings` name. Every request is bounded in time."""

    settings: RedshiftSettings

    def _client(self) -> Any:
        given = self.settings
        answer_s = _WAIT_S + given.connect_timeout
        return client_of(
            Connection(
                given.endpoint_url,
                _TRIES,
                given.connect_timeout,
                answer_s,
                _TRIES * answer_s,
                service="redshift-data",
                ca=given.ssl_ca,
            )
        )

    @property
    def warehouse(self) -> Members:
        """The members of a request that say where a new session is opened, and for whom."""
        given = self.settings
        members: Members = {"Database": given.database}
        if given.workgroup:
            members["WorkgroupName"] = given.workgroup
        else:
            members["ClusterIdentifier"] = given.cluster
        if given.secret_arn:
            members["SecretArn"] = given.secret_arn
        elif given.user and not given.workgroup:
            members["DbUser"] = given.user
        return members

    def submit(self, operation: str, members: Members, doing: str, sql: str = "") -> Members:
        """Have something run; gives the service's answer, which may be that it runs still.

        Sent again with the same token, the request is the same one to the service: what is lost on
        the way is never run twice. ConnectionLost where it is not known whether it was taken in. What
        opens a session is not looked for: nothing is lost with it.
        """
        request = {**members, "ClientToken": str(uuid.uuid4()), "WaitTimeSeconds": self._wait_s}
        lost: ConnectionLost | None = None
        try:
            for _ in range(_LOST_ROUNDS if "SessionId" in members else 0):
                try:
                    return self._sent(operation, request, doing, sql)
                except SessionGone as error:
                    raise _perhaps(lost, error) from None
                except ConnectionLost as error:
                    lost = error  # was it taken in? The token tells the service
                except PortError as error:
                    raise _perhaps(lost, error) from None
            try:
                return self._sent(operation, request, doing, sql)
            except PortError as error:
                raise _perhaps(lost, error) from None
        except Exception:
            raise
        except BaseException:  # somebody stops us, while the service runs what we sent
            answer = self._try(operation, {**request, "WaitTimeSeconds": 1})
            if answer is not None:
                self.cancel(answer["Id"])
            raise

    def finished(self, answer: Members, doing: str) -> Members:
        """The description of a statement that is over. ConnectionLost: it took too long, or was lost.

        So it is where the service refuses to tell, as by credentials that expired: it may be over.
        Where nobody waits for it any more, for whatever reason, it is cancelled.
        """
        try:
            return self._awaited(answer["Id"], doing)
        except ConnectionLost:
            self.cancel(answer["Id"])
            raise
        except PortError as error:
            self.cancel(answer["Id"])
            lost = ConnectionLost(f"{error}. It had been taken in")
            raise as_told_by(error, lost) from None
        except BaseException:
            self.cancel(answer["Id"])
            raise

    def _awaited(self, id_: str, doing: str) -> Members:
        ends = time.monotonic() + self.settings.statement_timeout + self.settings.connect_timeout
        attempt = 0
        while True:
            described = self._sent(
                "describe_statement", {"Id": id_, "WaitTimeSeconds": self._wait_s}, doing
            )
            if described["Status"] in OVER:
                return described
            if time.monotonic() >= ends:
                limit_s = self.settings.statement_timeout
                late = ConnectionLost(
                    f"{place(self.settings)} was not done in time when asked to {doing}: a statement may "
                    f"run for ORDERHE_REDSHIFT_STATEMENT_TIMEOUT ({limit_s} s). It was cancelled"
                )
                said = f"not complete after {limit_s} s"
                late.symptom = Symptom("redshift", said, "", facts_of(self.settings))
                raise late
            attempt += 1
            pause(min(attempt, 4))

    def pages(self, id_: str, doing: str) -> Iterator[Members]:
        """The pages of a statement's result."""
        token: Members = {}
        while True:
            page = self._sent("get_statement_result", {"Id": id_, **token}, doing)
            yield page
            if not page.get("NextToken"):
                return
            token = {"NextToken": page["NextToken"]}

    def cancel(self, id_: str) -> None:
        """End a statement; nothing where it is over, or the service does not answer any more."""
        self._try("cancel_statement", {"Id": id_})

    def end_session(self, id_: str) -> None:
        """Roll back what is open in a session, and let it end; else its time ends it."""
        self._try(
            "execute_statement", {"Sql": "rollback", "SessionId": id_, "SessionKeepAliveSeconds": 0}
        )

    def _try(self, operation: str, members: Members) -> Members | None:
        """The answer to a request that nothing hangs on; None where there is none."""
        import botocore.exceptions

        try:
            return self._called(operation, members)
        except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError) as error:
            log.debug("%s of %s: %s", operation, place(self.settings), error)
            return None

    @property
    def _wait_s(self) -> int:
        return max(1, min(_WAIT_S, self.settings.statement_timeout))

    def _sent(
        self, operation: str, members: Mapping[str, Any], doing: str, sql: str = ""
    ) -> Members:
        """The answer to a request, which is sent again while the service has too much to do. PortError."""
        import botocore.exceptions

        for attempt in range(1, _ROUNDS):
            try:
                return self._called(operation, members)
            except botocore.exceptions.ClientError as error:
                if code_of(error) not in BUSY:
                    raise request_error(error, self.settings, doing, sql) from None
            except botocore.exceptions.BotoCoreError as error:
                raise request_error(error, self.settings, doing, sql) from None
            pause(attempt)
        try:
            return self._called(operation, members)
        except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError) as error:
            raise request_error(error, self.settings, doing, sql) from None

    def _called(self, operation: str, members: Mapping[str, Any]) -> Members:
        answer: Members = getattr(self._client(), operation)(**members)
        return answer


def _perhaps(lost: ConnectionLost | None, error: PortError) -> PortError:
    """A refusal says nothing of the same request before, whose answer was lost: it may have been taken in."""
    if lost is None or lost is error:
        return error
    told = lost if error.symptom is None else error
    return as_told_by(told, ConnectionLost(f"{lost}. Asked again: {error}"))


def running(sql: str) -> str:
    """What a message says of a request to run a statement."""
    return f"run {shown(sql)}"
