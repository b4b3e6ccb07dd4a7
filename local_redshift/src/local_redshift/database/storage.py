"""Where COPY's and UNLOAD's bytes are: the seam to a store, and a role's permissions on it. No SQL, no files.

`Resolver` is what an adapter gives; `Access` is a resolver as one IAM role sees it, in S3's error texts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from local_redshift.database.load_errors import blocked
from local_redshift.errors import RedshiftError, refuse

ACTIONS = ("get", "list", "put", "delete")


class NoSuchBucket(LookupError):
    """An address names a bucket that the resolver does not reach; the text says which it reaches."""


def _nothing(address: str) -> bytes:
    raise FileNotFoundError(address)


def _nowhere(address: str) -> str:
    raise FileNotFoundError(address)


def _no_list(prefix: str) -> Sequence[tuple[str, int]]:
    return ()


def _no_put(address: str, file: Path) -> None:
    raise refuse(f"writing to {address}: this warehouse cannot write to its store", "use a select")


def _no_delete(addresses: Iterable[str]) -> None:
    raise refuse("cleanpath: this warehouse cannot delete from its store", "unload elsewhere")


def _same_region(bucket: str) -> str:
    return ""


def _nothing_fetched() -> None:
    """No file was made."""


@dataclass(frozen=True)
class Resolver:
    """Reads and writes addresses (`s3://bucket/key`); `list` gives addresses and sizes of a prefix.

    `read` and `local_path` raise FileNotFoundError where there is no object, all raise NoSuchBucket
    where there is no such bucket; another OSError becomes the statement's error. `region` is a
    bucket's; empty: the warehouse's own, `home_region`. `put` may move the file. `release`: the
    statement of this thread is over, so the files that were made for it may go. `folders`: where the
    files of `local_path` lie; DuckDB then reaches no others. None: anywhere.
    """

    read: Callable[[str], bytes] = _nothing
    local_path: Callable[[str], str] = _nowhere
    list: Callable[[str], Sequence[tuple[str, int]]] = _no_list
    put: Callable[[str, Path], None] = _no_put
    delete: Callable[[Sequence[str]], None] = _no_delete
    region: Callable[[str], str] = _same_region
    home_region: str = "us-east-1"
    release: Callable[[], None] = _nothing_fetched
    folders: tuple[Path, ...] | None = None


@dataclass(frozen=True)
class Grant:
    """What a role may do with the keys of a bucket that begin with `prefix`."""

    bucket: str
    prefix: str = ""
    actions: tuple[str, ...] = ACTIONS


@dataclass(frozen=True)
class Role:
    """An IAM role: attached to the namespace, trusting Redshift, with its grants.

    `everything`: it may do all that the resolver can, but write below what is `kept`: addresses, in which
    `**/` stands for any folders.
    """

    arn: str
    grants: tuple[Grant, ...] = ()
    attached: bool = True
    trusted: bool = True
    everything: bool = False
    kept: tuple[str, ...] = ()

    def may(self, action: str, bucket: str, key: str = "") -> bool:
        """Whether a grant covers the action on the key; listing is a matter of the bucket."""
        if action in ("put", "delete"):
            # On some disks Backup/ is backup/.
            address = f"s3://{bucket}/{key}".casefold()
            if any(_is_below(address, one.casefold()) for one in self.kept):
                return False
        return self.everything or any(
            grant.bucket == bucket
            and action in grant.actions
            and (action == "list" or key.startswith(grant.prefix))
            for grant in self.grants
        )


def _is_below(address: str, kept: str) -> bool:
    above, _, folder = kept.rpartition("**/")
    if not above:
        return address.startswith(kept)
    return address.startswith(above) and f"/{folder}" in f"/{address[len(above) :]}"


ANY_ROLE = Role("default", everything=True)


@dataclass(frozen=True)
class Roles:
    """The roles that statements may name. Without a list, every role is the one that is `unlisted`.

    `default` is the ARN that `iam_role default` means; empty: any of an unlisted set.
    """

    listed: tuple[Role, ...] | None = None
    default: str = ""
    unlisted: Role = ANY_ROLE
    _by_arn: dict[str, Role] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._by_arn.update({role.arn: role for role in self.listed or ()})

    def assume(self, arn: str | None, user: str) -> Role:
        """The role of that ARN (None: the default). RedshiftError as Redshift's where it cannot be."""
        if self.listed is None:
            return self.unlisted
        name = self.default if arn is None else arn
        if not name:
            raise blocked(
                "The default IAM role is not set for this namespace", 8001, "iam_role default"
            )
        role = self._by_arn.get(name)
        if role is None or not role.attached:
            raise blocked(
                "exception name : UnauthorizedException, error type : 138, message : The requested "
                f"role {name} is not associated to cluster, should retry : 0",
                30000,
                f"user {user}: attach the role to the namespace, or name one that is attached",
            )
        if not role.trusted:
            raise blocked(
                "exception name : UnauthorizedException, error type : 135, message : Not authorized "
                f"to get credentials of role {name}, should retry : 0",
                30000,
                "the role's trust policy must name redshift.amazonaws.com and "
                "redshift-serverless.amazonaws.com",
            )
        return role


def bucket_and_key(address: str) -> tuple[str, str]:
    """The bucket and the key of `s3://bucket/key`; RedshiftError where it is no such address."""
    bucket, _, key = address.removeprefix("s3://").partition("/")
    if not address.startswith("s3://") or not bucket:
        raise refuse(f"the address {address[:200]!r}", "give an address s3://bucket/key")
    return bucket, key


class Access:
    """A resolver as a role may use it; `region` is the statement's REGION, if it has one."""

    def __init__(self, resolver: Resolver, role: Role, region: str = "") -> None:
        self._resolver, self._role = resolver, role
        self._region = region or resolver.home_region

    def read(self, address: str, problem: str = "") -> bytes:
        """An object's bytes; `problem` goes before the error's text."""
        self._permit("get", address, problem)
        with self._reaching(address, "read", problem):
            try:
                return self._resolver.read(address)
            except FileNotFoundError:
                raise self._missing(address, problem) from None

    def file(self, address: str) -> str:
        """A local file with the object's bytes."""
        path = self.find(address)
        if path is None:
            raise self._missing(address)
        return path

    def find(self, address: str) -> str | None:
        """A local file with the object's bytes, None where there is none; else as `file`."""
        self._permit("get", address)
        with self._reaching(address, "read"):
            try:
                return self._resolver.local_path(address)
            except FileNotFoundError:
                return None

    def list(self, prefix: str) -> list[tuple[str, int]]:
        """The objects whose addresses begin with `prefix`, with their sizes, in order."""
        self._permit("list", prefix)
        with self._reaching(prefix, "listed"):
            return sorted(self._resolver.list(prefix))

    def put(self, address: str, file: Path) -> None:
        """Store a local file, which may be moved."""
        self._permit("put", address)
        with self._reaching(address, "written"):
            self._resolver.put(address, file)

    def delete(self, addresses: Sequence[str]) -> None:
        """Remove objects."""
        for address in addresses:
            self._permit("delete", address)
        if addresses:
            with self._reaching(addresses[0], "removed"):
                self._resolver.delete(addresses)

    @contextmanager
    def _reaching(self, address: str, action: str, problem: str = "") -> Iterator[None]:
        """What a store cannot do is the statement's error, by its key: it must not end the session."""
        try:
            yield
        except NoSuchBucket as error:
            raise _no_bucket(address, error) from None
        except OSError as error:
            raise blocked(
                f"{problem}S3ServiceException:{error.strerror or type(error).__name__},"
                "Status 500,Error InternalError",
                8001,
                f"S3 key being {action} : {address}",
            ) from error

    def may(self, action: str, address: str) -> bool:
        """Whether the role may do that, without trying."""
        return self._role.may(action, *bucket_and_key(address))

    def _permit(self, action: str, address: str, problem: str = "") -> None:
        bucket, key = bucket_and_key(address)
        if not self._role.may(action, bucket, key):
            raise denied(address, problem)
        region = self._resolver.region(bucket) or self._resolver.home_region
        if region != self._region:
            raise blocked(
                f"{problem}S3ServiceException:The bucket you are attempting to access must be "
                "addressed using the specified endpoint. Please send all future requests to this "
                "endpoint.,Status 301,Error PermanentRedirect",
                8001,
                f"S3 key being read : {address}; the bucket is in {region}, not in {self._region}",
            )

    def _missing(self, address: str, problem: str = "") -> RedshiftError:
        """Without leave to list, S3 does not tell a missing key from a forbidden one."""
        bucket, _ = bucket_and_key(address)
        if not self._role.may("list", bucket):
            return denied(address, problem)
        return blocked(
            f"{problem}S3ServiceException:The specified key does not exist.,Status 404,Error NoSuchKey",
            8001,
            f"S3 key being read : {address}",
        )


def denied(address: str, problem: str = "") -> RedshiftError:
    """S3's 403, as COPY and UNLOAD tell it."""
    return blocked(
        f"{problem}S3ServiceException:Access Denied,Status 403,Error AccessDenied,CanRetry 1",
        8001,
        f"S3 key being read : {address}",
    )


def _no_bucket(address: str, error: NoSuchBucket) -> RedshiftError:
    return blocked(
        "S3ServiceException:The specified bucket does not exist,Status 404,Error NoSuchBucket",
        8001,
        f"S3 key being read : {address}; {error}",
    )
