"""The signatures of Redshift's wire and login. Words as redshift-connector has them; COPY's are elsewhere."""

from __future__ import annotations

import re

from orderhe_dagster.doctor.facts import MYSQL_PORTS, is_cluster, is_own, number
from orderhe_dagster.doctor.signature import Cure, Example, Facts, Signature

_HOST = "shop.123456789012.eu-west-1.redshift-serverless.amazonaws.com"
_AMAZON: Facts = {
    "host": _HOST,
    "port": "5439",
    "user": "loader",
    "database": "dev",
    "connecting": "yes",
}
_CLUSTER: Facts = {**_AMAZON, "host": "shop.abc123.eu-west-1.redshift.amazonaws.com"}
_HERE: Facts = {**_AMAZON, "host": "127.0.0.1"}
_IAM: Facts = {**_AMAZON, "workgroup": "shop"}
_DRIVER = "seen: redshift-connector 2.2, sockets of a test"
_LOCAL = "seen: the local Redshift"
_AWS = "AWS's documentation"
_TIMED_OUT = r"time out|timed out|TimeoutError"
_CONSOLE = (
    "console: Amazon Redshift > Serverless > Workgroup {workgroup} > Network and security > Edit > "
    "Turn on Publicly accessible; then the security group's inbound rule. The switch alone is not "
    "enough: every subnet needs a route to an internet gateway"
)
_RULE = (
    "aws ec2 authorize-security-group-ingress --region {region} --group-id {security_group} "
    "--protocol tcp --port {port} --cidr {my_address}/32"
)


def _own(command: str, console: str = "", kind: str = "sh") -> Cure:
    """The fix for the local Redshift, and for what a name that is none of AWS's leads to."""
    place = {"host": "redshift.shop.example"}
    return Cure(is_own, "at a host that is none of AWS's", command, console, kind, place)


def _of_cluster(query: str, console: str) -> Cure:
    """The question of a cluster, where Serverless's is asked otherwise."""
    command = (
        "aws redshift describe-clusters --region {region} --cluster-identifier {cluster} --query "
    )
    return Cure(is_cluster, "of a cluster", command + query, console, "sh", _CLUSTER)


_ANSWERED = re.compile(r"refuses SSL|is no Redshift|did not let us in")


def _of_mysql(facts: Facts) -> bool:
    """By its name or its greeting; where nobody has asked it, by MySQL's port and an answer."""
    kind, who = facts.get("endpoint_kind"), facts.get("greets")
    if who or kind in ("rds", "serverless", "cluster"):
        return who == "mysql" or kind == "rds"
    return number(facts, "port") in MYSQL_PORTS and bool(_ANSWERED.search(facts.get("said", "")))


def _own_data_api(facts: Facts) -> bool:
    return bool(facts.get("data_endpoint"))


def _here(command: str, console: str = "", kind: str = "sh") -> tuple[Cure, ...]:
    """The fix for a Data API that is not Amazon's."""
    place = {"data_endpoint": "https://127.0.0.1:5440"}
    where = "of a Data API that is not Amazon's"
    return (Cure(_own_data_api, where, command, console, kind, place),)


_AGAIN = "run the same command again: nothing is half done"
_WENT_AWAY = (
    _of_cluster("'Clusters[0].ClusterStatus'", _AGAIN),
    _own(
        "nc -vz -w 5 {host} {port}",
        f"{_AGAIN}. What the local Redshift met is in the terminal of `orderhe warehouse serve`; a "
        "tunnel may have to be started again",
    ),
)
"""Of a connection that stood: what to do where it is no Serverless workgroup."""
_SERVE_API = "orderhe warehouse serve --data-api"
_ITS_LINES = "it prints the variables that a client needs: host, region, key and secret, and the CA"


def _private(facts: Facts) -> bool:
    return facts.get("is_private") == "yes"


def _is_serverless(facts: Facts) -> bool:
    return facts.get("endpoint_kind") == "serverless"


def _is_loopback(facts: Facts) -> bool:
    return facts.get("endpoint_kind") == "loopback"


def _is_connecting(facts: Facts) -> bool:
    return facts.get("connecting") == "yes"


_DATA: Facts = {"workgroup": "shop", "database": "dev", "port": "5439", "user": "loader"}
_DATA_SEEN = "seen: AWS's client, stubbed answers of the Data API"
SIGNATURES = (
    Signature(
        name="data-may-not",
        system="redshift",
        title="The caller may not use the Data API",
        cause="whoever runs this has no {action} on the workgroup {workgroup}",
        how="AWS answered AccessDenied to a request of the Data API",
        command="aws iam put-user-policy --user-name {caller_name} --policy-name redshift-data-{workgroup} "
        "--policy-document "
        '\'{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["redshift-data:ExecuteStatement",'
        '"redshift-data:BatchExecuteStatement","redshift-serverless:GetCredentials"],"Resource":'
        '"arn:aws:redshift-serverless:{region}:{account}:workgroup/{workgroup_id}"},'
        '{"Effect":"Allow","Action":'
        '["redshift-data:DescribeStatement","redshift-data:GetStatementResult",'
        '"redshift-data:CancelStatement"],'
        '"Resource":"*","Condition":{"StringEquals":{"redshift-data:statement-owner-iam-userid":'
        '"${aws:userid}"}}}]}\'',
        console="for a role: aws iam put-role-policy. The workgroup's id is in its ARN, which "
        "get-workgroup shows; "
        "docs/redshift.md has the whole policy",
        others=_here(_SERVE_API, _ITS_LINES),
        pattern=r"AccessDenied|Unauthorized",
        codes=("DATA",),
        examples=(
            Example(
                "AccessDeniedException: User: arn:aws:iam::123456789012:user/etl is not authorized "
                "to perform: "
                "redshift-data:ExecuteStatement",
                _DATA_SEEN,
                "DATA",
                {**_DATA, "action": "redshift-data:ExecuteStatement"},
            ),
        ),
    ),
    Signature(
        name="data-no-credentials",
        system="redshift",
        title="There are no AWS credentials for the Data API, or they are over",
        cause="the Data API is asked as the caller that AWS's own settings name; they name none, "
        "or its credentials "
        "are wrong or have expired",
        how="AWS's client had nothing to sign with, or the signature was refused",
        command="aws configure",
        console="or set AWS_PROFILE (and run `aws sso login`)",
        others=_here(_SERVE_API, _ITS_LINES),
        pattern=r"(No|Partial)Credentials|Expired|UnrecognizedClient|InvalidSignature|MissingAuth|line break",
        codes=("DATA",),
        examples=(
            Example(
                "NoCredentialsError BotoCoreError: Unable to locate credentials",
                _DATA_SEEN,
                "DATA",
                _DATA,
            ),
            Example(
                "ExpiredTokenException: The security token included in the request is expired",
                _DATA_SEEN,
                "DATA",
                _DATA,
            ),
        ),
    ),
    Signature(
        name="data-no-workgroup",
        system="redshift",
        title="The Data API knows no such workgroup",
        cause="{workgroup} is misspelt, deleted, or in another region or account",
        how="the service says that the endpoint does not exist",
        command="aws redshift-serverless list-workgroups --query 'workgroups[].workgroupName'",
        console="set ORDERHE_REDSHIFT_WORKGROUP or AWS_DEFAULT_REGION",
        others=_here(
            "ORDERHE_REDSHIFT_WORKGROUP=local",
            "that is how the local Redshift's is called, and its database `dev`",
            "env",
        ),
        pattern=r"endpoint doesn't exist|ResourceNotFound",
        codes=("DATA",),
        examples=(
            Example(
                "ValidationException: Redshift endpoint doesn't exist in this region.",
                _DATA_SEEN,
                "DATA",
                _DATA,
            ),
        ),
    ),
    Signature(
        name="data-no-region",
        system="redshift",
        title="No AWS region is set for the Data API",
        cause="AWS_DEFAULT_REGION is empty or misspelt, and the profile names none",
        how="AWS's client stopped before it asked anything",
        command="export AWS_DEFAULT_REGION=<the workgroup's region>",
        others=_here(
            "export AWS_DEFAULT_REGION=us-east-1", "the local Redshift's, as it prints it"
        ),
        pattern=r"NoRegion|InvalidRegion",
        codes=("DATA",),
        examples=(
            Example(
                "NoRegionError BotoCoreError: You must specify a region.", _DATA_SEEN, "DATA", _DATA
            ),
        ),
    ),
    Signature(
        name="data-busy",
        system="redshift",
        title="The Data API has all it can do",
        cause="too many statements or sessions at once, also after some waiting",
        how="the service says so",
        command="aws redshift-data list-statements --status STARTED",
        console="run it again a little later, with fewer runs at once",
        others=_here("orderhe run '*'", "a little later, with fewer runs at once"),
        pattern=r"ActiveStatementsExceeded|ActiveSessionsExceeded|Throttling|TooManyRequests|ActiveWaiting",
        codes=("DATA",),
        examples=(
            Example(
                "ActiveStatementsExceededException: Active statements exceeded",
                _DATA_SEEN,
                "DATA",
                _DATA,
            ),
        ),
    ),
    Signature(
        name="data-unreached",
        system="redshift",
        title="The Data API does not answer",
        cause="HTTPS to AWS does not get through: the network, a proxy, or the region's name",
        how="no answer came in all tries",
        command="curl -sSI https://redshift-data.{region}.amazonaws.com/",
        console="see AWS_DEFAULT_REGION, ORDERHE_REDSHIFT_ENDPOINT_URL and HTTPS_PROXY",
        others=_here(
            "curl -sS -o /dev/null {data_endpoint}",
            "start it (orderhe warehouse serve --data-api), or set ORDERHE_REDSHIFT_ENDPOINT_URL "
            "to what it prints, "
            "and ORDERHE_REDSHIFT_SSL_CA to its CA",
        ),
        pattern=r"EndpointConnection|ConnectTimeout|ReadTimeout|ConnectionClosed|ProxyConnection|HTTPClientError",
        codes=("DATA",),
        examples=(
            Example(
                "EndpointConnectionError ConnectionError: Could not connect to the endpoint URL: "
                "https://redshift-data.eu-west-1.amazonaws.com",
                _DATA_SEEN,
                "DATA",
                _DATA,
            ),
        ),
    ),
    Signature(
        name="redshift-is-a-mysql",
        system="redshift",
        title="The Redshift settings name a MySQL",
        cause="{host}:{port} is a MySQL's endpoint or port: its greeting is no answer to Redshift's "
        "first message",
        how="the host's name or the greeting is a MySQL's, or port {port} is and what answers "
        "there is no Redshift",
        kind="env",
        command="ORDERHE_REDSHIFT_HOST=<the endpoint of the workgroup>\nORDERHE_REDSHIFT_PORT=5439",
        console="the MySQL's own settings are ORDERHE_MYSQL_HOST and ORDERHE_MYSQL_PORT",
        pattern=r"refuses SSL|is no Redshift|did not let us in|communication error|time out|timed out",
        when=lambda facts: _is_connecting(facts) and _of_mysql(facts),
        examples=(
            Example(
                "Server refuses SSL",
                "seen: redshift-connector at MariaDB",
                "",
                {**_HERE, "port": "3306"},
            ),
            Example(
                "what answers is no Redshift: error",
                "seen: redshift-connector at MariaDB, without TLS",
                "",
                {**_HERE, "port": "3306"},
            ),
        ),
    ),
    Signature(
        name="redshift-private-address",
        system="redshift",
        title="The Redshift lies in a private network",
        cause="{host} has the private address {address}: the workgroup is not publicly accessible, and this "
        "machine is outside of its network",
        how="the name resolves to a private address, and nothing answered in time",
        command="aws redshift-serverless update-workgroup --region {region} --workgroup-name {workgroup} "
        f"--publicly-accessible\n{_RULE}",
        console="better: leave it private, and run this inside the VPC, by a VPN, or with "
        "ORDERHE_WAREHOUSE=data_api (HTTPS and IAM, no port at all)",
        others=(
            _own(
                "ip route get {address}",
                "run this inside of that network, connect its VPN, or let a tunnel of ssh lead to it (ssh -N "
                "-L {port}:{host}:{port} <a machine inside>)",
            ),
        ),
        pattern=_TIMED_OUT,
        when=lambda facts: (
            _is_connecting(facts) and _private(facts) and facts.get("endpoint_kind") != "cluster"
        ),
        examples=(
            Example(
                "connection time out; timed out",
                f"{_DRIVER}; the address stubbed",
                "",
                {**_AMAZON, "address": "172.31.5.9"},
            ),
        ),
    ),
    Signature(
        name="redshift-silent",
        system="redshift",
        title="What answers at the Redshift's port does not let us in",
        cause="{host}:{port} takes the connection and is not done with logging in: it stands still, a paused "
        "workgroup wakes up, a proxy or tunnel has nobody behind it, or it is another service",
        how="TCP opened, and TLS or login did not end in time",
        kind="env",
        command="ORDERHE_REDSHIFT_CONNECT_TIMEOUT=60",
        console="where that does not help, see ORDERHE_REDSHIFT_HOST and ORDERHE_REDSHIFT_PORT",
        pattern=r"did not let us in",
        examples=(
            Example("takes connections, but did not let us in within 1 s", _DRIVER, "", _HERE),
        ),
    ),
    Signature(
        name="redshift-not-reachable",
        system="redshift",
        title="The workgroup cannot be reached from here",
        cause="packets to {host}:{port} are dropped. A new workgroup is private: from outside of "
        "its VPC it must be "
        "publicly accessible, its security group must let this machine's address in, and each of its subnets "
        "needs a route to an internet gateway (VPC Block Public Access must be off)",
        how="connecting ended by a timeout: a security group drops packets, it never refuses them",
        command="aws redshift-serverless update-workgroup --region {region} --workgroup-name {workgroup} "
        f"--publicly-accessible\n{_RULE}",
        console=f"{_CONSOLE}. Better: ORDERHE_WAREHOUSE=data_api leaves it private",
        pattern=_TIMED_OUT,
        when=lambda facts: _is_connecting(facts) and _is_serverless(facts),
        examples=(Example("connection time out; timed out", _DRIVER, "", _AMAZON),),
    ),
    Signature(
        name="redshift-timed-out",
        system="redshift",
        title="Nothing answers at the Redshift's address",
        cause="packets to {host}:{port} are dropped: the cluster is not publicly accessible, its "
        "security group has no "
        "rule for this machine's address, or a firewall is on the way",
        how="connecting ended by a timeout",
        command=_RULE,
        console="console: Amazon Redshift > Clusters > Properties > Network and security settings",
        others=(
            _own(
                "nc -vz -w 5 {host} {port}",
                "let this machine's address in at the server's firewall, on port {port} alone; see "
                "ORDERHE_REDSHIFT_HOST",
            ),
        ),
        pattern=_TIMED_OUT,
        when=_is_connecting,
        examples=(Example("connection time out; timed out", _DRIVER, "", _CLUSTER),),
    ),
    Signature(
        name="redshift-not-started-here",
        system="redshift",
        title="The local Redshift does not run",
        cause="nothing listens on port {port} of this machine",
        how="the machine itself refused the connection",
        command="orderhe warehouse serve",
        console="it prints the ORDERHE_REDSHIFT_* lines that belong to it; leave it running",
        others=_here(_SERVE_API, _ITS_LINES),
        pattern=r"refused|Errno 111",
        when=_is_loopback,
        examples=(
            Example("communication error; [Errno 111] Connection refused", _DRIVER, "", _HERE),
        ),
    ),
    Signature(
        name="redshift-nothing-listens",
        system="redshift",
        title="The host answers, and no Redshift listens on that port",
        cause="{host} refuses port {port}: the port is another one (5431 to 5455 and 8191 to 8215 "
        "are possible)",
        how="the connection was refused at once, which no security group does",
        command="aws redshift-serverless get-workgroup --region {region} --workgroup-name "
        "{workgroup} --query "
        "'workgroup.[status,endpoint.address,endpoint.port]'",
        console="set ORDERHE_REDSHIFT_PORT to what it says",
        others=(
            *_here("{on_host}ss -ltn", "start it there: orderhe warehouse serve --data-api"),
            _of_cluster(
                "'Clusters[0].[ClusterStatus,Endpoint]'",
                "set ORDERHE_REDSHIFT_PORT to what it says",
            ),
            _own(
                "{on_host}ss -ltn",
                "start there what is to listen (orderhe warehouse serve, or a tunnel), or set "
                "ORDERHE_REDSHIFT_PORT",
            ),
        ),
        pattern=r"refused|Errno 111",
        examples=(
            Example("communication error; [Errno 111] Connection refused", _DRIVER, "", _AMAZON),
        ),
    ),
    Signature(
        name="redshift-no-name-server",
        system="redshift",
        title="Names cannot be looked up at all",
        cause="this machine got no answer to its question for {host}: it has no network, or its "
        "name server is down",
        how="the look-up failed for now (EAI_AGAIN), which says nothing of the name",
        command="getent hosts {host}",
        pattern=r"Errno -3|Temporary failure in name resolution",
        examples=(
            Example(
                "communication error; [Errno -3] Temporary failure in name resolution",
                f"{_DRIVER}; the look-up stubbed",
                "",
                _AMAZON,
            ),
        ),
    ),
    Signature(
        name="redshift-host-unknown",
        system="redshift",
        title="ORDERHE_REDSHIFT_HOST is no name that there is",
        cause="{host} has no address: workgroup, account or region in it is misspelt, or the "
        "workgroup was deleted. The "
        "host is the endpoint without port and database",
        how="the name server knows no such name",
        command="aws redshift-serverless list-workgroups --query 'workgroups[].endpoint.address' "
        "--output text",
        console="set ORDERHE_REDSHIFT_HOST to what it says",
        others=(
            _own(
                "getent hosts {host}",
                "set ORDERHE_REDSHIFT_HOST to a name that there is; of Amazon's it is the endpoint that the "
                "workgroup's page shows, without port and database",
            ),
        ),
        pattern=r"Errno -\d|11001|Name or service|getaddrinfo|nodename",
        examples=(
            Example(
                "communication error; [Errno -2] Name or service not known",
                _DRIVER,
                "",
                _AMAZON,
            ),
        ),
    ),
    Signature(
        name="redshift-no-route",
        system="redshift",
        title="There is no way from here to the Redshift's network",
        cause="this machine has no route to {host}: it is offline, or the VPN to that network is down",
        how="the machine's own network refused before anything was sent",
        command="ip route get {host}",
        pattern=r"Errno 101|Errno 113|unreachable|No route to host",
        examples=(
            Example(
                "communication error; [Errno 113] No route to host",
                "Linux, EHOSTUNREACH",
                "",
                {**_AMAZON, "host": "10.9.8.7"},
            ),
        ),
    ),
    Signature(
        name="redshift-name-differs",
        system="redshift",
        title="The Redshift's certificate is another name's",
        cause="{host} is not among the names in the certificate: an address, a CNAME or a tunnel's "
        "end stands in "
        "ORDERHE_REDSHIFT_HOST",
        how="TLS began, and the name was not the certificate's",
        kind="env",
        command="ORDERHE_REDSHIFT_HOST=<the endpoint's own name, as the workgroup shows it>",
        console="ORDERHE_REDSHIFT_SSLMODE=verify-ca still verifies the chain, and not the name",
        pattern=r"[Hh]ostname mismatch|IP address mismatch|doesn't match",
        examples=(
            Example(
                "communication error; [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: "
                "IP address mismatch, "
                "certificate is not valid for '127.0.0.2'. (_ssl.c:1000)",
                _LOCAL,
                "",
                {**_HERE, "host": "127.0.0.2"},
            ),
        ),
    ),
    Signature(
        name="redshift-certificate",
        system="redshift",
        title="The Redshift's certificate is not to be trusted",
        cause="its chain ends at nobody who is known here: a company's proxy that opens TLS, an "
        "old bundle, or a server of "
        "one's own whose CA was not named",
        how="TLS began, and the chain was not trusted",
        kind="env",
        command="ORDERHE_REDSHIFT_SSL_CA=<the file of the CA>",
        console="the local Redshift's is redshift/ca.pem of its ORDERHE_HOME; Amazon's comes with the driver",
        pattern=r"CERTIFICATE_VERIFY_FAILED|certificate",
        examples=(
            Example(
                "communication error; [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: "
                "unable to get local "
                "issuer certificate (_ssl.c:1000)",
                _LOCAL,
                "",
                _HERE,
            ),
        ),
    ),
    Signature(
        name="redshift-without-tls",
        system="redshift",
        title="What answers speaks no TLS, so it is no Redshift",
        cause="every Redshift speaks TLS: {host}:{port} is another service, a proxy or tunnel, or "
        "the local Redshift that was "
        "started with --insecure",
        how="it answered the request for TLS by something else than yes",
        kind="env",
        command="ORDERHE_REDSHIFT_HOST=<the endpoint of the workgroup>\nORDERHE_REDSHIFT_PORT=5439",
        console="start the local one without --insecure: orderhe warehouse serve",
        pattern=r"refuses SSL",
        examples=(Example("Server refuses SSL", _DRIVER, "", _HERE),),
    ),
    Signature(
        name="redshift-another-service",
        system="redshift",
        title="What answers at that port is no Redshift",
        cause="{host}:{port} belongs to another service: its bytes are no message of Redshift's",
        how="the first bytes are not of Redshift's protocol",
        kind="env",
        command="ORDERHE_REDSHIFT_HOST=<the endpoint of the workgroup>\nORDERHE_REDSHIFT_PORT=5439",
        pattern=r"is no Redshift",
        examples=(
            Example(
                "what answers is no Redshift: error", "seen: the driver at a web server", "", _HERE
            ),
        ),
    ),
    Signature(
        name="redshift-wants-tls",
        system="redshift",
        title="The Redshift takes TLS only",
        cause="require_ssl is on, and ORDERHE_REDSHIFT_SSLMODE sends everything in clear",
        how="the server says so",
        kind="env",
        command="ORDERHE_REDSHIFT_SSLMODE=verify-full",
        pattern=r"SSL off",
        examples=(
            Example(
                'no pg_hba.conf entry for host "::ffff:10.0.0.7", user "loader", database "dev", SSL off',
                _LOCAL,
                "28000",
                _HERE,
            ),
        ),
    ),
    Signature(
        name="redshift-login",
        system="redshift",
        title="The Redshift does not know this user with this password",
        cause="user or password is wrong, or the password was changed (in Secrets Manager, it may rotate)",
        how="the server answered, and refused the login",
        kind="env",
        command="ORDERHE_REDSHIFT_USER={user}\nORDERHE_REDSHIFT_PASSWORD='<its password>'",
        console="a new password, as an administrator: alter user {user} password '<a new one>'; the "
        "administrator's: Redshift > Serverless > Namespace > Actions > Edit admin credentials. The local "
        "Redshift's is in the file redshift/password of its ORDERHE_HOME",
        codes=("28000", "28P01"),
        examples=(
            Example('password authentication failed for user "loader"', _LOCAL, "28000", _HERE),
        ),
    ),
    Signature(
        name="redshift-no-database",
        system="redshift",
        title="There is no such database in the Redshift",
        cause="the namespace has no database {database}; a new one has `dev`",
        how="the login passed, the name is unknown (3D000)",
        kind="env",
        command="ORDERHE_REDSHIFT_DATABASE=dev",
        console="aws redshift-serverless get-namespace --namespace-name {namespace} --query namespace.dbName",
        others=(
            _own("ORDERHE_REDSHIFT_DATABASE=dev", "the local Redshift has no other", kind="env"),
        ),
        codes=("3D000",),
        examples=(Example('database "shop" does not exist', _LOCAL, "3D000", _AMAZON),),
    ),
    Signature(
        name="redshift-too-many-connections",
        system="redshift",
        title="The Redshift has no connection free",
        cause="too many are connected: of this user (its connection limit) or in all",
        how="the server says so (53300)",
        kind="sql",
        command="select user_name, remote_host, session_timeout from stv_sessions;",
        console="close other clients, or: alter user {user} connection limit unlimited",
        pattern=r"too many connections|too many clients|connection limit",
        examples=(
            Example(
                'too many connections for user "loader"',
                "PostgreSQL's words, SQLSTATE 53300",
                "53300",
                _HERE,
            ),
        ),
    ),
    Signature(
        name="redshift-usage-limit",
        system="redshift",
        title="The workgroup's usage limit is reached",
        cause="its limit of RPU-hours turned queries off until the period ends: this is the guard "
        "against a large bill",
        how="the server names the limit",
        command="aws redshift-serverless list-usage-limits --region {region} --usage-type serverless-compute",
        console="raise it by aws redshift-serverless update-usage-limit --usage-limit-id <id> "
        "--amount <RPU-hours>, or wait; "
        "console: Redshift > Serverless > Workgroup > Limits",
        pattern=r"usage limit",
        examples=(
            Example(
                "Query reached usage limit: Redshift Serverless usage limit has been reached",
                "public reports; not seen here",
                "XX000",
                _AMAZON,
            ),
        ),
    ),
    Signature(
        name="redshift-cancelled",
        system="redshift",
        title="The statement was ended for its length, or by somebody",
        cause="statement_timeout (ORDERHE_REDSHIFT_STATEMENT_TIMEOUT), a rule of the workgroup "
        "(max_query_execution_time) or "
        "a person ended it",
        how="the server says so (57014)",
        kind="env",
        command="ORDERHE_REDSHIFT_STATEMENT_TIMEOUT=7200",
        codes=("57014",),
        examples=(
            Example(
                "Query (17) cancelled on user's request",
                "PostgreSQL's words, SQLSTATE 57014",
                "57014",
                _HERE,
            ),
        ),
    ),
    Signature(
        name="redshift-iam-may-not",
        system="redshift",
        title="IAM gives this caller no credentials for the Redshift",
        cause="whoever runs this may not call redshift-serverless:GetCredentials on the workgroup "
        "(and GetWorkgroup where "
        "the host is left out)",
        how="AWS answered AccessDenied before anything was connected",
        command="aws iam put-user-policy --user-name {caller_name} --policy-name redshift-login-{workgroup} "
        "--policy-document "
        '\'{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":'
        '["redshift-serverless:GetCredentials","redshift-serverless:GetWorkgroup"],"Resource":'
        '"arn:aws:redshift-serverless:{region}:{account}:workgroup/{workgroup_id}"}]}\'',
        console="for a role: aws iam put-role-policy. The workgroup's id is in its ARN, which "
        "get-workgroup shows",
        pattern=r"AccessDenied|not authorized to perform",
        codes=("IAM",),
        examples=(
            Example(
                "ClientError: An error occurred (AccessDeniedException) when calling the "
                "GetCredentials operation: User: "
                "arn:aws:iam::123456789012:user/etl is not authorized to perform: "
                "redshift-serverless:GetCredentials",
                "seen: the driver at a stubbed control plane",
                "IAM",
                _IAM,
            ),
        ),
    ),
    Signature(
        name="redshift-iam-no-credentials",
        system="redshift",
        title="There are no AWS credentials to log in by",
        cause="ORDERHE_REDSHIFT_AUTH=iam asks AWS for a password, as the caller that AWS's own "
        "settings name; they name none, "
        "or its credentials have expired",
        how="AWS's client had nothing to sign with, or was told so",
        command="aws configure",
        console="set AWS_PROFILE (and run `aws sso login`), or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        pattern=r"NoCredentials|Unable to locate "
        r"credentials|Expired|InvalidClientToken|UnrecognizedClient|InvalidSignature",
        codes=("IAM",),
        examples=(
            Example(
                "NoCredentialsError: Unable to locate credentials", "seen: botocore", "IAM", _IAM
            ),
            Example(
                "ClientError: An error occurred (ExpiredTokenException) when calling the "
                "GetCredentials operation: The "
                "security token included in the request is expired",
                "seen: the driver at a stubbed control plane",
                "IAM",
                _IAM,
            ),
        ),
    ),
    Signature(
        name="redshift-iam-no-region",
        system="redshift",
        title="No AWS region is set",
        cause="by IAM, the workgroup is looked for in a region, and none is named",
        how="AWS's own settings hold no region",
        command="export AWS_DEFAULT_REGION=<the workgroup's region>",
        pattern=r"no AWS region|NoRegion",
        codes=("IAM",),
        examples=(Example("no AWS region is set", "seen: this product", "IAM", _IAM),),
    ),
    Signature(
        name="redshift-iam-no-workgroup",
        system="redshift",
        title="There is no such workgroup in that region",
        cause="{workgroup} is misspelt, deleted, or in another region or account",
        how="AWS knows none of that name",
        command="aws redshift-serverless list-workgroups --query 'workgroups[].workgroupName'",
        console="set ORDERHE_REDSHIFT_WORKGROUP or AWS_DEFAULT_REGION",
        pattern=r"ResourceNotFound|does not exist|not found",
        codes=("IAM",),
        examples=(
            Example(
                "ClientError: An error occurred (ResourceNotFoundException) when calling the "
                "GetWorkgroup operation: The "
                "workgroup shop does not exist",
                f"{_AWS}; seen at a stubbed control plane",
                "IAM",
                _IAM,
            ),
        ),
    ),
    Signature(
        name="redshift-stands-still",
        system="redshift",
        title="The Redshift stopped answering",
        cause="a statement was sent and nothing came back in the time that it may take; or a "
        "client of one's own was made "
        "with the driver's `timeout=`, which ends every longer query as well",
        how="the connection stood, and waiting for the answer ended it",
        command="aws redshift-serverless get-workgroup --region {region} --workgroup-name "
        "{workgroup} --query "
        "workgroup.status",
        console="run the same command again: nothing is half done. In scripts of your own, leave "
        "`timeout` out",
        others=_WENT_AWAY,
        pattern=_TIMED_OUT + r"|ing came for|not complete after|not taken within",
        examples=(
            Example(
                "timed out", "redshift-connector with timeout=", "", {**_AMAZON, "connecting": ""}
            ),
            Example(
                "nothing came for 3615 s",
                "seen: a local Redshift behind a proxy that stalls",
                "",
                {**_HERE, "connecting": ""},
            ),
        ),
    ),
    Signature(
        name="redshift-lost",
        system="redshift",
        title="The Redshift went away in the middle of work",
        cause="the connection broke while a statement ran: maintenance, a resize, a network that "
        "dropped it. What was not "
        "committed is rolled back",
        how="an open connection was closed by the other side",
        command="aws redshift-serverless get-workgroup --region {region} --workgroup-name "
        "{workgroup} --query "
        "workgroup.status",
        console="run the same command again: nothing is half done",
        others=_WENT_AWAY,
        pattern=r"socket closed|BrokenPipe|[Cc]onnection reset|connection is closed|EOF",
        examples=(
            Example(
                "BrokenPipe: server socket closed. Please check that client side networking configurations",
                _DRIVER,
                "",
                _AMAZON,
            ),
            Example("[Errno 104] Connection reset by peer", _DRIVER, "", _HERE),
        ),
    ),
    Signature(
        name="redshift-other-transaction",
        system="redshift",
        title="Another transaction was in the way",
        cause="two loads changed the same tables at once. It was repeated already, ten times",
        how="the server says so (1023, 40001, deadlock)",
        command="orderhe run '*'",
        console="under load from other programs: alter database {database} isolation level snapshot",
        pattern=r"^1023\b|\b1023: |Serializable isolation violation|deadlock detected|conflict "
        r"with concurrent",
        examples=(
            Example(
                "1023: Serializable isolation violation on table - 1, transactions forming the "
                "cycle are: 7, 8 (pid:9)",
                "public reports (snowplow#557)",
                "XX000",
                _HERE,
            ),
            Example("deadlock detected", "PostgreSQL's words, SQLSTATE 40P01", "40P01", _HERE),
        ),
    ),
    Signature(
        name="redshift-no-relation",
        system="redshift",
        title="A table or schema is not in the warehouse",
        cause="it was never built there, or was dropped",
        how="the server knows no such relation",
        command="orderhe create\norderhe run '*'",
        console="or `orderhe restore warehouse`, from backups that are there",
        pattern=r"does not exist|nonexistent table",
        codes=("42P01", "3F000", "XX000"),
        examples=(
            Example('relation "mart.daily_sales" does not exist', _LOCAL, "42P01", _HERE),
            Example('schema "mart" does not exist', _LOCAL, "3F000", _HERE),
            Example(
                "Cannot COPY into nonexistent table orders",
                "public reports (estuary#918)",
                "XX000",
                _HERE,
            ),
        ),
    ),
)
