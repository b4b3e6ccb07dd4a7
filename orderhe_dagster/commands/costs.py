"""What a run costs on AWS: RPU-seconds, requests, storage, by a table of prices that says how old it is.

The prices are data: `orderhe_dagster/prices.json`. Nothing is asked of AWS here but what a run was billed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orderhe_dagster.doctor.facts import completed
from orderhe_dagster.errors import OrderheError
from orderhe_dagster.ports.cloud import Untold
from orderhe_dagster.ports.errors import PortError

if TYPE_CHECKING:
    from orderhe_dagster.ports.cloud import Cloud
    from orderhe_dagster.ports.warehouse import Warehouse
    from orderhe_dagster.road.plans import Planned
    from orderhe_dagster.settings.config import Settings

FILE = Path(__file__).resolve().parents[1] / "prices.json"
_GB = 1_000_000_000
_HOUR_S = 3600


class PriceError(OrderheError):
    """The table of prices cannot be used. The text says what of it."""


@dataclass(frozen=True)
class Prices:
    """The table: what things cost, how work is billed, what is assumed of its speed."""

    written: str
    region: str
    usd: dict[str, float]
    recalled: tuple[str, ...]
    minimum_s: int
    default_rpu: int
    assumed: dict[str, float]

    @classmethod
    def read(cls, file: Path = FILE) -> Prices:
        """Read the table. PriceError."""
        try:
            raw: dict[str, Any] = json.loads(file.read_text("utf-8"))
            prices, billing = raw["prices"], raw["billing"]
            return cls(
                written=raw["written"],
                region=raw["region"],
                usd={name: float(one["usd"]) for name, one in prices.items()},
                recalled=tuple(
                    one["name"]
                    for one in [*prices.values(), *billing.values()]
                    if one["evidence"] != "read"
                ),
                minimum_s=int(billing["minimum_seconds"]["is"]),
                default_rpu=int(billing["default_rpu"]["is"]),
                assumed={name: float(value) for name, value in raw["assumed"].items()},
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise PriceError(
                f"{file}, the table of prices, cannot be used: {error!r}. Put it back as it came with "
                "orderhe: pip install --force-reinstall --no-deps orderhe_dagster"
            ) from error


@dataclass(frozen=True)
class Capacity:
    """What a workgroup may use: its base capacity, and how many usage limits it has (None: not known)."""

    rpu: int
    limits: int | None = None
    is_told: bool = False
    """Whether AWS has told the base capacity."""


@dataclass(frozen=True)
class Cost:
    """What a run is billed, about. `burst_s`: seconds of work that follow one another."""

    capacity: Capacity
    burst_s: float
    billed_s: int
    puts: int
    gets: int
    size: int
    usd_compute: float
    usd_requests: float
    usd_storage_month: float

    @property
    def rpu_seconds(self) -> int:
        """What Redshift Serverless bills."""
        return self.capacity.rpu * self.billed_s


def cost_of(steps: Sequence[Planned], capacity: Capacity, prices: Prices) -> Cost:
    """What the steps of a plan cost, about: all of a run's work in the warehouse is one burst."""
    assumed = prices.assumed
    works = [step for step in steps if not step.asset.startswith(("raw/", "backup/"))]
    seconds = 0.0
    for step in works:
        seconds += assumed["seconds_of_a_look" if step.does_nothing else "seconds_of_a_step"]
        rate = "rows_built_a_second" if step.is_about or not step.gets else "rows_loaded_a_second"
        seconds += step.rows / assumed[rate]
    billed = max(prices.minimum_s, ceil(seconds)) if works else 0
    puts, gets = sum(step.puts for step in steps), sum(step.gets for step in steps)
    size = sum(step.size for step in steps if step.asset.startswith("backup/"))
    return Cost(
        capacity=capacity,
        burst_s=seconds,
        billed_s=billed,
        puts=puts,
        gets=gets,
        size=size,
        usd_compute=capacity.rpu * billed / _HOUR_S * prices.usd["rpu_hour"],
        usd_requests=(puts * prices.usd["put_1000"] + gets * prices.usd["get_1000"]) / 1000,
        usd_storage_month=size / _GB * prices.usd["gb_month"],
    )


def usd_of(rpu_seconds: float, prices: Prices) -> float:
    """What so many RPU-seconds cost."""
    return rpu_seconds / _HOUR_S * prices.usd["rpu_hour"]


def charged(warehouse: Warehouse, began: datetime, ended: datetime) -> tuple[int | None, str]:
    """The RPU-seconds that Redshift Serverless billed for a time (UTC); None, and why, where nobody says.

    SYS_SERVERLESS_USAGE has a row a minute, some minutes later, and shows them to a superuser alone.
    """
    until = ended + timedelta(minutes=1)
    try:
        total = warehouse.query(
            "select sum(charged_seconds) as charged_seconds from sys_serverless_usage"
            f" where end_time > '{began:%Y-%m-%d %H:%M:%S}' and start_time < '{until:%Y-%m-%d %H:%M:%S}'",
            "orderhe plan --last",
        ).scalar()
    except PortError as error:
        return None, f"SYS_SERVERLESS_USAGE cannot be read: {str(error).splitlines()[0]}"
    if total is None:
        return None, (
            "SYS_SERVERLESS_USAGE has no row of that time: it comes some minutes later, stays for 7 days, "
            "and only a superuser sees it"
        )
    return int(total), ""


def capacity_of(settings: Settings, rpu: int | None, prices: Prices, cloud: Cloud) -> Capacity:
    """The capacity as it was given (`rpu`), as AWS tells it, or as it is assumed. No statement is sent."""
    assumed = Capacity(rpu or int(prices.assumed["rpu"]))
    given = settings.redshift
    facts = completed({"host": given.host, "workgroup": given.workgroup})
    if settings.warehouse == "embedded" or given.endpoint_url or not facts.get("workgroup"):
        return assumed
    region = facts.get("region", "")
    try:
        workgroup = cloud.workgroup(facts["workgroup"], region)
        if workgroup is None:
            return assumed
        limits = cloud.usage_limits(workgroup.arn, region)
    except Untold:
        return assumed
    told = bool(workgroup.base_rpu) and rpu is None
    return Capacity(workgroup.base_rpu if told else assumed.rpu, limits, told)


def traps(capacity: Capacity, prices: Prices, is_serverless: bool) -> Iterator[str]:
    """What bills without being seen, where the warehouse is (or would be) Redshift Serverless."""
    rpu = capacity.rpu
    hour, burst = rpu * prices.usd["rpu_hour"], rpu * prices.minimum_s / _HOUR_S
    dollars = burst * prices.usd["rpu_hour"]
    if capacity.limits == 0:
        yield "NO USAGE LIMIT: no mistake is cheap; orderhe doctor prints the command that sets one"
    elif capacity.limits is None and is_serverless:
        yield "whether the workgroup has a usage limit is not known here: orderhe doctor"
    elif not is_serverless:
        yield "set a usage limit before the first query: without one no mistake is cheap"
    if rpu >= prices.default_rpu:
        yield (
            f"BASE CAPACITY {rpu} RPU: ${hour:,.2f} for each hour in which a query runs; it is what a "
            "workgroup has where nobody sets it: take 4 to 8"
        )
    yield (
        f"every query bills {prices.minimum_s} s at least (${dollars:.3f} with {rpu} RPU): a BI page or a "
        f"health check that asks every 15 minutes is ${dollars * 96 * 30:,.0f} a month; let BI read exports"
    )
    yield "a transaction that is left open, and keep-alives that send a query, bill on: end them"
    yield (
        f"a NAT gateway is ${prices.usd['nat_month']:,.0f} a month: none is needed, S3 has a gateway "
        "endpoint that is free"
    )
