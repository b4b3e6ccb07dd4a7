"""`orderhe publish`: what is handed out, by which links, for how long, and what is not."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from local_redshift.errors import RedshiftError
from local_redshift.session.engine import Engine
from orderhe_dagster.cli import main
from orderhe_dagster.commands import publish
from orderhe_dagster.dashboard.lineage_html import lineage_page
from orderhe_dagster.resources.s3 import links
from orderhe_dagster.resources.s3.policy import publish_policy
from orderhe_dagster.road import published
from orderhe_dagster.road.export_files import ExportFiles
from orderhe_dagster_tests.csv_files import write_csv
from orderhe_dagster_tests.servers.s3 import S3Server, use
from orderhe_dagster_tests.shops import SALES, TestShop

TAKINGS = "export/takings.sql"


@pytest.fixture
def shop(tmp_path: Path) -> TestShop:
    """A shop whose export and pages lie there, as a run has written them."""
    folder = tmp_path / "shop"
    shop = TestShop(folder, {"ORDERHE_SQL": str(folder / "sql"), "ORDERHE_SHOP": "external"})
    shop.write(SALES)
    write_takings(shop)
    pages = folder / "home" / "dashboard"
    pages.mkdir(parents=True)
    (pages / "lineage.html").write_text(lineage_page(shop.catalogue, dashboard=True), "utf-8")
    (pages / "index.html").write_text('<p>매출</p><script>{"lineage":true,"x":1}</script>', "utf-8")
    return shop


def write_takings(shop: TestShop) -> None:
    (table,) = shop.catalogue.layer("export")
    aside = shop.folder / "aside"
    aside.mkdir(exist_ok=True)
    whole = write_csv(aside / "takings.csv", table.column_names, [["2026-11-22", "1.500"]])
    ExportFiles(shop.folder / "home" / "exports", "takings").publish(whole, table)


def asked(shop: TestShop, *words: str, code: int = 0) -> str:
    env = {**shop.environ, "ORDERHE_HOME": str(shop.folder / "home")}
    done = CliRunner().invoke(main, ["publish", *words], env=env)
    assert done.exit_code == code, done.output
    return done.output


@pytest.fixture
def in_s3(shop: TestShop, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> TestShop:
    """The shop with its store in S3, asked by who may publish and nothing else."""
    bucket = s3_server.bucket_name()
    s3_server.client().create_bucket(Bucket=bucket)
    use(monkeypatch, s3_server.user(bucket, publish_policy(bucket, "one")))
    shop.environ |= {
        "ORDERHE_STORE": "s3",
        "ORDERHE_S3_BUCKET": bucket,
        "ORDERHE_S3_PREFIX": "one",
        "ORDERHE_S3_ENDPOINT_URL": s3_server.url,
    }
    return shop


def opened(url: str) -> tuple[str, bytes]:
    with urllib.request.urlopen(url, timeout=30) as answer:
        return answer.headers["Content-Type"], answer.read()


def links_of(output: str) -> list[str]:
    return re.findall(r"^https?://.+$", output, re.M)


def test_the_dashboard_opens_by_its_link_alone(
    in_s3: TestShop, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = asked(in_s3, "dashboard", "--expires", "12h")
    page, lineage = links_of(said)
    kind, body = opened(page)
    assert kind == "text/html; charset=utf-8"
    assert body.decode() == '<p>매출</p><script>{"lineage":false,"x":1}</script>'
    assert b'"dashboard":false' in opened(lineage)[1]
    ends = datetime.strptime(re.findall(r"until (.+) UTC$", said, re.M)[0], "%Y-%m-%d %H:%M")
    left = ends.replace(tzinfo=timezone.utc) - datetime.now(timezone.utc)
    assert timedelta(hours=11, minutes=58) < left <= timedelta(hours=12)

    use(monkeypatch, s3_server.environ)
    store, now = in_s3.store, datetime.now(timezone.utc)
    keys = {one.key for one in published.published(store)}
    assert {key.rpartition("/")[2] for key in keys} == {"index.html", "lineage.html"}
    assert all(key.startswith("published/until-") for key in keys)
    assert published.ended(store, now + timedelta(hours=11)) == []
    assert {one.key for one in published.ended(store, now + timedelta(hours=13))} == keys
    store.put("backup/sales/index.json", b"{}")
    assert asked(in_s3, "withdraw").startswith("2 published objects removed")
    assert store.get("backup/sales/index.json") is not None
    with pytest.raises(urllib.error.HTTPError, match="404"):
        opened(page)


def test_exports_open_by_their_links(in_s3: TestShop) -> None:
    csv, schema = links_of(asked(in_s3, "exports", "export/takings"))
    assert opened(csv) == ("text/csv; charset=utf-8", b"sold_on,price_total\n2026-11-22,1.500\n")
    assert json.loads(opened(schema)[1])["fields"][0]["name"] == "sold_on"


def test_a_folder_store_says_where_the_files_lie(shop: TestShop) -> None:
    home = shop.folder / "home"
    said = asked(shop, "dashboard")
    assert "There is no link" in said and str(home / "dashboard" / "index.html") in said
    said = asked(shop, "exports")
    assert str(home / "exports") in said and "orderhe publish exports --to FOLDER" in said
    assert str(home / "exports" / "takings.csv") in asked(shop, "exports", "takings")
    assert published.published(shop.store) == []


def test_exports_are_copied_whole_into_a_folder(shop: TestShop, tmp_path: Path) -> None:
    target = tmp_path / "handed out"
    parts = shop.folder / "home" / "exports" / "takings.parts"
    parts.mkdir()
    (parts / "takings-1-of-1.csv").write_text("sold_on\n")
    asked(shop, "exports", "--to", str(target))
    (parts / "takings-1-of-1.csv").rename(parts / "takings-another.csv")
    said = asked(shop, "exports", "takings.csv", "--to", str(target))
    assert f"{target / 'takings.csv'}: 37 bytes" in said
    there = sorted(str(path.relative_to(target)) for path in target.rglob("*") if path.is_file())
    assert there == [
        "datapackage.json",
        "takings.csv",
        "takings.parts/takings-another.csv",
        "takings.schema.json",
    ]
    package = json.loads((target / "datapackage.json").read_text("utf-8"))
    assert [one["path"] for one in package["resources"]] == ["takings.csv"]


def test_what_was_written_before_its_sql_was_changed_is_not_handed_out(
    shop: TestShop, tmp_path: Path
) -> None:
    text = (
        SALES[TAKINGS]
        .replace(" -- The day,", "")
        .replace(
            "    takings.price_total::decimal(38, 3) as price_total -- Prices",
            "    takings.sale_count::bigint as sale_count -- Sales",
        )
    )
    shop.write({TAKINGS: text})
    said = asked(shop, "exports", "--to", str(tmp_path / "out"), code=1)
    assert "orderhe run 'export/takings'" in said and not (tmp_path / "out").exists()


def test_what_is_not_there_is_told_with_what_to_do(shop: TestShop) -> None:
    assert "there is no export 'taking'; did you mean takings?" in asked(
        shop, "exports", "taking", code=1
    )
    assert "there is no export 'x'; there are takings" in asked(shop, "exports", "x", code=1)
    (shop.folder / "home" / "dashboard" / "index.html").unlink()
    assert "orderhe run 'export/*'" in asked(shop, "dashboard", code=1)
    for wrong in ("8d", "0h", "7", "d", "1w", "-1d"):
        assert "Error" in asked(shop, "dashboard", f"--expires={wrong}", code=2)


def test_a_link_of_temporary_credentials_says_that_it_ends_with_them() -> None:
    now = datetime.now(timezone.utc)

    def link(token: str, ends: datetime | None = None) -> Any:
        frozen = SimpleNamespace(token=token)
        given = SimpleNamespace(get_frozen_credentials=lambda: frozen, _expiry_time=ends)
        return links._link("https://x", now + timedelta(days=7), given)

    assert link("").sooner == ""
    assert "temporary credentials" in link("token").sooner
    assert link("token", now + timedelta(hours=1)).until == now + timedelta(hours=1)
    assert link("token", now + timedelta(days=8)).sooner == ""


def test_an_error_on_the_way_does_not_quote_the_link() -> None:
    from botocore.exceptions import ConnectTimeoutError

    def send(request: Any) -> None:
        raise ConnectTimeoutError(endpoint_url=request.url)

    client = SimpleNamespace(_endpoint=SimpleNamespace(http_session=SimpleNamespace(send=send)))
    with pytest.raises(ConnectTimeoutError) as error:
        links._try(client, "https://b.s3.example/key?X-Amz-Signature=5ec4e7")
    assert str(error.value).endswith('"https://b.s3.example/key"')


def test_the_statements_make_a_user_who_reads_marts_alone(shop: TestShop) -> None:
    said = asked(shop, "sql", "--user", 'b"i', "--loader", "loader")
    lines = [line for line in said.splitlines() if not line.startswith("--")]
    assert 'user "b""i"' in lines[0] and "password disable" in lines[0]
    assert "alter user" in said and "require_ssl" in said
    assert "--loader NAME" not in said and "--loader NAME" in asked(shop, "sql")
    with Engine() as engine:
        engine.execute("create schema mart")
        engine.execute("create user loader password 'Secret0123'")
        for line in lines:
            if line.startswith("alter user"):  # read by Amazon's alone
                assert line.endswith(f"set statement_timeout to {publish.STATEMENT_MS};")
                with pytest.raises(RedshiftError, match="alter user"):
                    engine.execute(line.rstrip(";"))
            else:
                engine.execute(line.rstrip(";"))


def test_the_endpoint_is_steps_in_the_words_of_the_templates(shop: TestShop, project: Path) -> None:
    said = asked(shop, "endpoint")
    assert "Nothing was done" in said and "0.0.0.0" not in said
    steps = said.replace("\\\n", " ")
    deployed = re.findall(r"--template-file (\S+) .*?--parameter-overrides (.+)", steps)
    assert [file for file, _ in deployed] == ["infra/bi.yaml", "infra/redshift.yaml"]
    for file, given in deployed:
        template = (project / file).read_text("utf-8")
        for parameter in given.split():
            assert f"\n  {parameter.partition('=')[0]}:\n    Type:" in template
