"""Run strangers' clients against the local Redshift on its wire protocol, with TLS, and an S3 (moto's).

`make clients` makes their environment (clients/requirements.lock) and runs this by the project's own:
each client is a program beside this file, run by the interpreter named on the command line.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
BUCKET = "strangers"
CLIENTS = ("use_awswrangler.py", "use_sqlalchemy.py", "use_dbt.py")


@contextmanager
def servers(folder: Path) -> Iterator[dict[str, str]]:
    """Both servers for the block; gives the variables that a client reads."""
    from local_redshift.testing import server as wire
    from local_redshift.testing.certificates import Authority
    from orderhe_dagster.resources.laptop.store_resolver import resolver
    from orderhe_dagster.resources.s3.store import S3Store
    from orderhe_dagster.settings.config import S3Settings
    from orderhe_dagster_tests.servers import s3

    with ExitStack() as stack:
        store_server = stack.enter_context(s3.running())
        aws = {**s3.NOWHERE, **store_server.environ}
        os.environ.update(aws)
        store = S3Store(S3Settings(bucket=BUCKET, endpoint_url=store_server.url))
        store.create()
        reach = resolver(store, stack)
        authority = Authority(folder / "tls")
        redshift = stack.enter_context(wire.serving(authority=authority, resolver=reach))
        yield {
            **os.environ,
            "AWS_ENDPOINT_URL": store_server.url,
            "WR_S3_ENDPOINT_URL": store_server.url,
            "SSL_CERT_FILE": redshift.ca,
            "PGSSLROOTCERT": redshift.ca,
            "CLIENT_BUCKET": BUCKET,
            "CLIENT_HOST": redshift.host,
            "CLIENT_PORT": str(redshift.port),
            "CLIENT_USER": redshift.user,
            "CLIENT_PASSWORD": redshift.password,
            "CLIENT_DATABASE": redshift.database_name,
            "CLIENT_FOLDER": str(folder),
        }


def main() -> int:
    """Run the clients that are named, or all; the number of those that failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", default=sys.executable, help="the clients' interpreter")
    parser.add_argument("clients", nargs="*", default=CLIENTS)
    asked = parser.parse_args()
    failed = 0
    with tempfile.TemporaryDirectory(prefix="orderhe-clients-") as name:
        folder = Path(name)
        (folder / "tls").mkdir()
        with servers(folder) as environment:
            for client in asked.clients:
                print(f"== {client}", flush=True)
                done = subprocess.run(
                    [asked.python, str(HERE / client)], env=environment, check=False, timeout=600
                )
                failed += done.returncode != 0
    return failed


if __name__ == "__main__":
    sys.path.insert(0, str(HERE.parent))
    sys.exit(main())
