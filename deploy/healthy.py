"""Whether a process of a deployment answers; exit code 1 and the reason where not. Nothing is started.

`python healthy.py code` or `webserver`, beside the process. Dagster's own checks load all of Dagster, some
seconds of a processor each time. The daemon has none but that: `dagster-daemon liveness-check`.
"""

import os
import sys
import urllib.request

PATIENCE_S = 5


def code() -> None:
    """Ask the code location's health service, as gRPC has it."""
    import grpc
    from grpc_health.v1 import health_pb2, health_pb2_grpc

    with grpc.insecure_channel(f"127.0.0.1:{os.environ['DAGSTER_GRPC_PORT']}") as channel:
        asked = health_pb2.HealthCheckRequest(service="DagsterApi")
        answer = health_pb2_grpc.HealthStub(channel).Check(asked, timeout=PATIENCE_S)
    if answer.status != health_pb2.HealthCheckResponse.SERVING:
        raise OSError(f"the code location says {answer.status}, not that it serves")


def webserver() -> None:
    """Ask the webserver for its version."""
    url = f"http://127.0.0.1:{os.environ['DAGSTER_WEBSERVER_PORT']}/server_info"
    with urllib.request.urlopen(url, timeout=PATIENCE_S) as answer:
        if answer.status != 200:
            raise OSError(f"{url}: {answer.status}")


if __name__ == "__main__":
    try:
        {"code": code, "webserver": webserver}[sys.argv[1]]()
    except Exception as error:
        sys.exit(f"{type(error).__name__}: {error}")
