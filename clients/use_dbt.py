"""dbt-redshift: a small project run, tested, run again (its incremental model adds)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

PROFILE = """\
shop:
  target: local
  outputs:
    local:
      type: redshift
      host: {host}
      port: {port}
      user: {user}
      password: "{{{{ env_var('CLIENT_PASSWORD') }}}}"
      dbname: {database}
      schema: analytics
      threads: 2
      sslmode: verify-full
"""


def main() -> None:
    """Run dbt's commands on a copy of the project; the first that fails ends this."""
    folder = Path(os.environ["CLIENT_FOLDER"]) / "dbt"
    shutil.copytree(Path(__file__).parent / "shop", folder)
    profile = PROFILE.format(
        host=os.environ["CLIENT_HOST"],
        port=os.environ["CLIENT_PORT"],
        user=os.environ["CLIENT_USER"],
        database=os.environ["CLIENT_DATABASE"],
    )
    (folder / "profiles.yml").write_text(profile, "utf-8")
    dbt = Path(sys.executable).parent / "dbt"
    environment = {**os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}
    for command in (["seed"], ["run"], ["test"], ["run"]):
        done = subprocess.run(
            [dbt, "--no-use-colors", *command, "--profiles-dir", str(folder)],
            cwd=folder, env=environment, check=False, text=True, capture_output=True,
        )  # fmt: skip
        if done.returncode:
            print(done.stdout[-6000:], done.stderr[-2000:])
            sys.exit(f"dbt {' '.join(command)} failed")
        last = [line for line in done.stdout.splitlines() if "Done." in line]
        print(f"dbt {' '.join(command)}: {' '.join(last)[-80:]}", flush=True)


if __name__ == "__main__":
    main()
