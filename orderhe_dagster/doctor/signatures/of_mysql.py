"""The signatures of MySQL: from a name that is not known to a limit of the server."""

from __future__ import annotations

import re

from orderhe_dagster.doctor.facts import REDSHIFT_PORT, is_own, number
from orderhe_dagster.doctor.signature import Cure, Example, Facts, Signature

_RDS_CONSOLE = (
    "console: RDS > Databases > {instance} > Connectivity & security > VPC security groups"
)
_HOST = "shop.abc123def456.eu-west-1.rds.amazonaws.com"
_RDS: Facts = {"host": _HOST, "port": "3306", "user": "etl", "database": "shop"}
_HERE: Facts = {"host": "127.0.0.1", "port": "3306", "user": "etl", "database": "shop"}
_CONNECTING = "yes"
_PYMYSQL = "seen: pymysql 1.2, sockets of a test"
_MARIADB = "seen: MariaDB 10.11"
_MANUAL = "MySQL's manual, the server's error messages"
_UNREACHED = r"\(2003\)|\(2002\)|\(2006\)|\(2013\)|[Pp]acket sequence number"
_TIMED_OUT = r"timed out|Errno 110\b|\(110\)"
_WAITS = re.compile(r"greeting was not complete|\(2013\)|\(2006\)")
"""What is met at a peer that takes the connection and waits for its client to begin."""


def _own(command: str, console: str = "", kind: str = "sh") -> tuple[Cure, ...]:
    """The fix on a server that is none of AWS's."""
    place = {"host": "db.shop.example"}
    return (Cure(is_own, "on a server of one's own", command, console, kind, place),)


def _of_redshift(facts: Facts) -> bool:
    """By its name or its answer; where nobody has asked it, by Redshift's port and a peer that waits."""
    kind, who = facts.get("endpoint_kind"), facts.get("greets")
    if who or kind in ("rds", "serverless", "cluster"):
        return who == "redshift" or kind in ("serverless", "cluster")
    is_its_port = number(facts, "port") == REDSHIFT_PORT
    return is_its_port and bool(_WAITS.search(facts.get("said", "")))


def _from_outside(facts: Facts) -> bool:
    return facts.get("is_private") == "yes"


def _local(facts: Facts) -> bool:
    return facts.get("endpoint_kind") == "loopback"


def _connecting(facts: Facts) -> bool:
    return facts.get("connecting") == _CONNECTING


def _in_rds(facts: Facts) -> bool:
    return facts.get("endpoint_kind") == "rds"


SIGNATURES = (
    Signature(
        name="mysql-is-a-redshift",
        system="mysql",
        title="The MySQL settings name a Redshift",
        cause="{host}:{port} is a Redshift's endpoint or port: it waits for PostgreSQL's first "
        "message, MySQL's client "
        "for MySQL's greeting, and neither comes",
        how="the host's name or its first answer is a Redshift's, or port {port} is and what listens there "
        "waits for its client to begin, which no MySQL does",
        kind="env",
        command="ORDERHE_MYSQL_HOST=<the endpoint of the MySQL>\nORDERHE_MYSQL_PORT=3306",
        console="the Redshift's own settings are ORDERHE_REDSHIFT_HOST and ORDERHE_REDSHIFT_PORT",
        pattern=_UNREACHED,
        when=lambda facts: _of_redshift(facts) and _connecting(facts),
        examples=(
            Example(
                "Can't connect to MySQL server on '127.0.0.1' (it takes connections, but its "
                "greeting was not "
                "complete within 2 s) (2003)",
                "seen: pymysql at a silent port 5439",
                "2003",
                {**_HERE, "port": "5439", "connecting": "yes"},
            ),
            Example(
                "Lost connection to MySQL server during query (2013)",
                "seen: pymysql at the local Redshift",
                "2013",
                {**_HERE, "port": "5439", "connecting": "yes"},
            ),
        ),
    ),
    Signature(
        name="mysql-private-address",
        system="mysql",
        title="The MySQL lies in a private network",
        cause="{host} has the private address {address}: this machine is outside of that network, "
        "so no packet arrives",
        how="the name resolves to a private address, and nothing answered in time",
        command="aws rds modify-db-instance --region {region} --db-instance-identifier {instance} "
        "--publicly-accessible "
        "--apply-immediately",
        console="that makes the instance publicly accessible; better: run this inside the VPC, "
        "or by a VPN or a port forwarding of Session "
        "Manager; console: RDS > "
        "Databases > {instance} > Modify > Connectivity > Public access",
        others=_own(
            "ip route get {address}",
            "run this inside of that network, connect its VPN, or let a tunnel of ssh lead to it (ssh -N -L "
            "{port}:{host}:{port} <a machine inside>), and name the tunnel's end in ORDERHE_MYSQL_HOST",
        ),
        pattern=_TIMED_OUT,
        codes=("2003", "2002"),
        when=_from_outside,
        examples=(
            Example(
                f"Can't connect to MySQL server on '{_HOST}' (timed out) (2003)",
                f"{_PYMYSQL}; the address stubbed",
                "2003",
                {**_RDS, "address": "172.31.5.9", "connecting": "yes"},
            ),
        ),
    ),
    Signature(
        name="mysql-silent",
        system="mysql",
        title="What answers at the MySQL's port says nothing",
        cause="{host}:{port} takes the connection and never greets: a server that stands still, a "
        "proxy or tunnel "
        "without a server behind it, or another service that waits for its client to begin",
        how="TCP opened, and no greeting came in time",
        kind="env",
        command="ORDERHE_MYSQL_HOST=<the endpoint of the MySQL>\nORDERHE_MYSQL_PORT=<its port, usually 3306>",
        console="of an instance that is only slow, see its CPU and memory in the console, and raise "
        "ORDERHE_MYSQL_CONNECT_TIMEOUT",
        pattern=r"greeting was not complete",
        codes=("2003",),
        examples=(
            Example(
                "Can't connect to MySQL server on '127.0.0.1' (it takes connections, but its "
                "greeting was not complete "
                "within 1 s) (2003)",
                f"{_PYMYSQL} (a silent peer)",
                "2003",
                {**_HERE, "connecting": "yes"},
            ),
        ),
    ),
    Signature(
        name="mysql-no-inbound-rule",
        system="mysql",
        title="Nothing lets this machine in: the MySQL's security group has no rule for its address",
        cause="packets to {host}:{port} are dropped without an answer. The commonest reason by "
        "far: no inbound rule of the "
        "instance's security group names this machine's address (it changes with the network you "
        "are in). Else "
        "the instance is not publicly accessible, or its subnets have no route to an internet gateway",
        how="connecting ended by a timeout: a security group drops packets, it never refuses them",
        command="aws ec2 authorize-security-group-ingress --region {region} --group-id "
        "{security_group} --protocol tcp "
        "--port {port} --cidr {my_address}/32",
        console=f"{_RDS_CONSOLE} > Inbound rules > Edit > MySQL/Aurora, My IP",
        pattern=_TIMED_OUT,
        codes=("2003", "2002"),
        when=_in_rds,
        examples=(
            Example(
                f"Can't connect to MySQL server on '{_HOST}' (timed out) (2003)",
                _PYMYSQL,
                "2003",
                _RDS,
            ),
            Example(
                f"Can't connect to MySQL server on '{_HOST}' ([Errno 110] Connection timed out) (2003)",
                _PYMYSQL,
                "2003",
                _RDS,
            ),
            Example(
                f"Can't connect to server on '{_HOST}' (110) (2002)",
                "seen: MariaDB's C library",
                "2002",
                _RDS,
            ),
        ),
    ),
    Signature(
        name="mysql-timed-out",
        system="mysql",
        title="Nothing answers at the MySQL's address",
        cause="packets to {host}:{port} are dropped without an answer: a firewall on the way or on "
        "the server, a wrong "
        "address, or a machine that is off",
        how="connecting ended by a timeout; a server without a firewall would have refused at once",
        command="nc -vz -w 5 {host} {port}",
        console="let this machine's address in at the server's firewall, on port {port} alone; see "
        "ORDERHE_MYSQL_HOST",
        pattern=_TIMED_OUT,
        codes=("2003", "2002"),
        examples=(
            Example(
                "Can't connect to MySQL server on 'db.shop.example' (timed out) (2003)",
                _PYMYSQL,
                "2003",
                {**_RDS, "host": "db.shop.example"},
            ),
        ),
    ),
    Signature(
        name="mysql-not-started-here",
        system="mysql",
        title="No MySQL runs on this machine",
        cause="nothing listens on port {port} of this machine: the server is not started, its "
        "container publishes no port, "
        "or the tunnel that leads to it is down. A container has a 127.0.0.1 of its own",
        how="the machine itself refused the connection",
        command="docker ps --filter publish={port}",
        console="start the server or the tunnel, or set ORDERHE_MYSQL_HOST and ORDERHE_MYSQL_PORT",
        pattern=r"refused|\(111\)|\(115\)",
        codes=("2003", "2002"),
        when=_local,
        examples=(
            Example(
                "Can't connect to MySQL server on '127.0.0.1' ([Errno 111] Connection refused) (2003)",
                _PYMYSQL,
                "2003",
                _HERE,
            ),
        ),
    ),
    Signature(
        name="mysql-nothing-listens",
        system="mysql",
        title="The host answers, and no MySQL listens on that port",
        cause="{host} was reached and refuses port {port}: the port is wrong, or the instance is "
        "stopped or starting. A "
        "security group never refuses, so it is not in the way",
        how="the connection was refused at once",
        command="aws rds describe-db-instances --region {region} --db-instance-identifier {instance} --query "
        "'DBInstances[0].[DBInstanceStatus,Endpoint.Port]'\n"
        "aws rds start-db-instance --region {region} --db-instance-identifier {instance}",
        console="console: RDS > Databases > {instance} > Actions > Start; or set ORDERHE_MYSQL_PORT",
        others=_own(
            "{on_host}ss -ltn",
            "start the server there (systemctl start mysql, or mariadb), let its bind-address be "
            "one that this "
            "machine reaches and not 127.0.0.1, or set ORDERHE_MYSQL_PORT to what it listens on",
        ),
        pattern=r"refused|\(111\)|\(115\)",
        codes=("2003", "2002"),
        examples=(
            Example(
                f"Can't connect to MySQL server on '{_HOST}' ([Errno 111] Connection refused) (2003)",
                _PYMYSQL,
                "2003",
                _RDS,
            ),
        ),
    ),
    Signature(
        name="mysql-no-name-server",
        system="mysql",
        title="Names cannot be looked up at all",
        cause="this machine got no answer to its question for {host}: it has no network, or its "
        "name server is down",
        how="the look-up failed for now (EAI_AGAIN), which says nothing of the name",
        command="getent hosts {host}",
        console="see the network, VPN and name server of this machine, then run this again",
        pattern=r"Errno -3|Temporary failure in name resolution|EAI_AGAIN",
        examples=(
            Example(
                f"Can't connect to MySQL server on '{_HOST}' ([Errno -3] Temporary failure in name "
                f"resolution) (2003)",
                f"{_PYMYSQL}; the look-up stubbed",
                "2003",
                _RDS,
            ),
        ),
    ),
    Signature(
        name="mysql-host-unknown",
        system="mysql",
        title="ORDERHE_MYSQL_HOST is no name that there is",
        cause="{host} has no address: it is misspelt, or the instance was deleted or renamed",
        how="the name server knows no such name",
        command="aws rds describe-db-instances --query 'DBInstances[].Endpoint.Address' --output text",
        console="set ORDERHE_MYSQL_HOST to the endpoint as RDS > Databases > Connectivity & "
        "security shows it",
        others=_own(
            "getent hosts {host}",
            "set ORDERHE_MYSQL_HOST to a name that there is; of RDS it is the endpoint, as RDS > Databases > "
            "Connectivity & security shows it",
        ),
        pattern=r"Errno -\d|11001|Name or service|getaddrinfo|nodename|Unknown (MySQL )?server host",
        examples=(
            Example(
                f"Can't connect to MySQL server on '{_HOST}' ([Errno -2] Name or service not "
                "known) (2003)",
                f"{_PYMYSQL}; the look-up stubbed",
                "2003",
                _RDS,
            ),
            Example(
                "Can't connect to MySQL server on 'no-such.invalid' ([Errno -2] Name or service "
                "not known) (2003)",
                _PYMYSQL,
                "2003",
                {**_RDS, "host": "no-such.invalid"},
            ),
            Example(
                "Can't connect to MySQL server on 'no-such' ([Errno 11001] getaddrinfo failed) (2003)",
                "Python on Windows",
                "2003",
                {**_RDS, "host": "no-such"},
            ),
            Example(
                "Unknown server host 'nowhere.invalid' (-2). Attempted host: nowhere.invalid (2005)",
                "seen: MariaDB's C library",
                "2005",
                {**_RDS, "host": "nowhere.invalid"},
            ),
        ),
    ),
    Signature(
        name="mysql-no-route",
        system="mysql",
        title="There is no way from here to the MySQL's network",
        cause="this machine has no route to {host}: it is offline, or the VPN to that network is down",
        how="the machine's own network refused before anything was sent",
        command="ip route get {host}",
        console="connect the network or the VPN, then run this again",
        pattern=r"Errno 101|Errno 113|unreachable|No route to host",
        examples=(
            Example(
                "Can't connect to MySQL server on '10.9.8.7' ([Errno 101] Network is unreachable) (2003)",
                "Linux, ENETUNREACH",
                "2003",
                {**_RDS, "host": "10.9.8.7"},
            ),
        ),
    ),
    Signature(
        name="mysql-name-differs",
        system="mysql",
        title="The MySQL's certificate is another name's",
        cause="{host} is not among the names in the server's certificate: an address or a CNAME stands in "
        "ORDERHE_MYSQL_HOST, or a tunnel is in between",
        how="TLS began, the chain was trusted, and the name was not",
        kind="env",
        command="ORDERHE_MYSQL_HOST=<the endpoint's own name, as RDS shows it>",
        console="through a tunnel, let the endpoint's name lead to it (a line of /etc/hosts); "
        "ORDERHE_MYSQL_SSLMODE=verify-ca still verifies the chain, and not the name",
        pattern=r"[Hh]ostname mismatch|IP address mismatch|Hostname verification failed|doesn't match",
        examples=(
            Example(
                "Can't connect to MySQL server on '127.0.0.2' ([SSL: CERTIFICATE_VERIFY_FAILED] "
                "certificate verify "
                "failed: IP address mismatch, certificate is not valid for '127.0.0.2'. "
                "(_ssl.c:1000)) (2003)",
                _MARIADB,
                "2003",
                {**_HERE, "host": "127.0.0.2"},
            ),
            Example(
                "TLS/SSL error: Hostname verification failed. Attempted host: 127.0.0.2 (2026)",
                "seen: MariaDB's C library",
                "2026",
                {**_HERE, "host": "127.0.0.2"},
            ),
        ),
    ),
    Signature(
        name="mysql-certificate-out-of-date",
        system="mysql",
        title="The MySQL's certificate is out of its dates",
        cause="the certificate has expired or is not valid yet: RDS's was not rotated, or this "
        "machine's clock is wrong",
        how="TLS refused the certificate for its dates",
        command="date -u\naws rds modify-db-instance --region {region} --db-instance-identifier {instance} "
        "--ca-certificate-identifier rds-ca-rsa2048-g1 --apply-immediately",
        console="console: RDS > Certificate update",
        others=_own(
            "date -u\nopenssl s_client -starttls mysql -connect {host}:{port} </dev/null | openssl x509 "
            "-noout -dates",
            "renew the server's certificate (ssl_cert and ssl_key in its configuration), and start it again",
        ),
        pattern=r"certificate has expired|not yet valid",
        examples=(
            Example(
                "Can't connect to MySQL server on 'db' ([SSL: CERTIFICATE_VERIFY_FAILED] "
                "certificate verify failed: "
                "certificate has expired (_ssl.c:1000)) (2003)",
                "OpenSSL, X509_V_ERR_CERT_HAS_EXPIRED",
                "2003",
                _RDS,
            ),
        ),
    ),
    Signature(
        name="mysql-ca-missing",
        system="mysql",
        title="The authority that signed the MySQL's certificate is not known here",
        cause="Amazon's authorities for RDS are not among those that machines know by themselves",
        how="TLS began, and the chain of the server's certificate ends at nobody who is trusted",
        command="curl -O https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem\n"
        "export ORDERHE_MYSQL_SSL_CA=global-bundle.pem",
        console="for a server of your own, name its CA's file in ORDERHE_MYSQL_SSL_CA",
        others=_own(
            "ORDERHE_MYSQL_SSL_CA=<the file of the CA that signed the server's certificate>",
            "a MySQL that made its own has it as ca.pem in its data folder; where an RDS is "
            "behind that name, "
            "or at the other end of a tunnel, it is "
            "https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem",
            "env",
        ),
        pattern=r"CERTIFICATE_VERIFY_FAILED|self.signed|unable to get local issuer|certificate verify failed",
        examples=(
            Example(
                "Can't connect to MySQL server on '127.0.0.1' ([SSL: CERTIFICATE_VERIFY_FAILED] "
                "certificate verify "
                "failed: unable to get local issuer certificate (_ssl.c:1000)) (2003)",
                _MARIADB,
                "2003",
                _RDS,
            ),
            Example(
                "SSL connection error: certificate verify failed (2026)",
                "seen: MariaDB's C library",
                "2026",
                _HERE,
            ),
        ),
    ),
    Signature(
        name="mysql-without-tls",
        system="mysql",
        title="What answers speaks no TLS",
        cause="the server at {host}:{port} offers no TLS. RDS always does: so this is a proxy, a "
        "tunnel's end or another "
        "server; a server of one's own has no certificate yet",
        how="it greeted, and its greeting does not offer TLS",
        kind="env",
        command="ORDERHE_MYSQL_HOST=<the endpoint's own name>\nORDERHE_MYSQL_PORT=3306",
        console="on a server of your own: ssl_cert and ssl_key in its configuration, then its CA "
        "as ORDERHE_MYSQL_SSL_CA",
        pattern=r"SSL is required|does not support SSL|not support",
        codes=("2026",),
        examples=(
            Example(
                "SSL is required but the server doesn't support it (2026)", _MARIADB, "2026", _HERE
            ),
        ),
    ),
    Signature(
        name="mysql-tls-failed",
        system="mysql",
        title="TLS with the MySQL does not come about",
        cause="server and client agree on no version or cipher of TLS: an old server, or a proxy "
        "that alters what passes",
        how="TLS began and was broken off",
        command="openssl s_client -starttls mysql -connect {host}:{port} -brief",
        console="RDS: a current engine and parameter tls_version=TLSv1.2,TLSv1.3",
        others=_own(
            "openssl s_client -starttls mysql -connect {host}:{port} -brief",
            "a current server, and tls_version=TLSv1.2,TLSv1.3 in its configuration",
        ),
        codes=("2026",),
        examples=(
            Example(
                "TLS/SSL error: tlsv1 alert protocol version (2026)",
                "OpenSSL's words, by MariaDB's C library",
                "2026",
                _RDS,
            ),
        ),
    ),
    Signature(
        name="mysql-another-service",
        system="mysql",
        title="What answers at that port is no MySQL",
        cause="{host}:{port} belongs to another service: its first bytes are no greeting of MySQL's",
        how="the first packet is not one of MySQL's protocol",
        kind="env",
        command="ORDERHE_MYSQL_HOST=<the endpoint of the MySQL>\nORDERHE_MYSQL_PORT=3306",
        pattern=r"[Pp]acket sequence number wrong",
        examples=(
            Example(
                "Packet sequence number wrong - got 80 expected 0",
                "seen: pymysql at a web server",
                "",
                {**_HERE, "connecting": "yes"},
            ),
        ),
    ),
    Signature(
        name="mysql-hung-up",
        system="mysql",
        title="The connection ends before the MySQL has let us in",
        cause="{host}:{port} takes the connection and closes it: a proxy or tunnel without a "
        "server behind it, a server that "
        "starts or is out of memory, or another service",
        how="TCP opened, then it was closed in the middle of logging in",
        command="aws rds describe-db-instances --region {region} --db-instance-identifier {instance} --query "
        "'DBInstances[0].DBInstanceStatus'",
        console="see ORDERHE_MYSQL_HOST and ORDERHE_MYSQL_PORT, and the server's log",
        others=_own(
            "{on_host}journalctl -n 50 -u mysql -u mariadb",
            "see ORDERHE_MYSQL_HOST and ORDERHE_MYSQL_PORT; of a tunnel or a container, see "
            "whether the server "
            "behind it runs",
        ),
        codes=("2013", "2006", "2055"),
        when=_connecting,
        examples=(
            Example(
                "Lost connection to MySQL server during query (2013)",
                f"{_PYMYSQL} (a peer that hangs up)",
                "2013",
                {**_RDS, "connecting": "yes"},
            ),
        ),
    ),
    Signature(
        name="mysql-stands-still",
        system="mysql",
        title="The MySQL stopped answering",
        cause="a query was sent and nothing (or hardly anything) came back: the server or its "
        "network stands still, or "
        "the query takes longer until its first rows than ORDERHE_MYSQL_READ_TIMEOUT",
        how="the connection stood, and its read timeout ended it",
        command="aws rds describe-db-instances --region {region} --db-instance-identifier {instance} --query "
        "'DBInstances[0].DBInstanceStatus'",
        console="RDS > Databases > {instance} > Monitoring; for slow queries, raise "
        "ORDERHE_MYSQL_READ_TIMEOUT",
        others=_own(
            "{on_host}systemctl status mysql mariadb",
            "see its load and `show full processlist`; for slow queries, raise ORDERHE_MYSQL_READ_TIMEOUT",
        ),
        pattern=r"ing came for|Can't read|timed out",
        codes=("2013", "2006"),
        examples=(
            Example(
                "Lost connection to MySQL server during query (nothing came for 600 s) (2013)",
                "seen: a stopped MariaDB",
                "2013",
                _RDS,
            ),
        ),
    ),
    Signature(
        name="mysql-lost",
        system="mysql",
        title="The MySQL went away in the middle of work",
        cause="the connection broke while a query ran: a restart, a failover, a kill, or memory "
        "that ran out. What only "
        "reads was repeated already, twice",
        how="an open connection was closed by the other side",
        command="aws rds describe-events --region {region} --source-type db-instance "
        "--source-identifier {instance} "
        "--duration 60",
        console="run the same command again: nothing is half done",
        others=_own(
            "{on_host}journalctl --since -1h -u mysql -u mariadb",
            "run the same command again: nothing is half done",
        ),
        codes=("2013", "2006", "2055", "1053", "1927"),
        examples=(
            Example("Lost connection to MySQL server during query (2013)", _MARIADB, "2013", _RDS),
            Example("MySQL server has gone away (2006)", "seen: pymysql", "2006", _RDS),
            Example("Server shutdown in progress (1053)", _MANUAL, "1053", _RDS),
        ),
    ),
    Signature(
        name="mysql-no-password",
        system="mysql",
        title="No password was sent to the MySQL",
        cause="ORDERHE_MYSQL_PASSWORD is empty, and the user {user} has one",
        how="the server says `using password: NO`",
        kind="env",
        command="ORDERHE_MYSQL_PASSWORD='<the password of {user}>'",
        pattern=r"using password: NO",
        codes=("1045",),
        examples=(
            Example(
                "Access denied for user 'etl'@'localhost' (using password: NO) (1045)",
                _MARIADB,
                "1045",
                _HERE,
            ),
        ),
    ),
    Signature(
        name="mysql-login",
        system="mysql",
        title="The MySQL does not know this user with this password",
        cause="user or password is wrong, the password was rotated, or no '{user}' is defined for "
        "the host that this "
        "machine comes from: a user is known by name and host. An IAM token is over after 15 "
        "minutes. A user that "
        "must use TLS is refused like this without it, too",
        how="the server answered, and refused the login (1045)",
        kind="env",
        command="ORDERHE_MYSQL_USER={user}\nORDERHE_MYSQL_PASSWORD='<its password>'",
        console="a new password, as an administrator: alter user '{user}'@'%' identified by '<a "
        "new password>'; "
        "the master user's: aws rds modify-db-instance --db-instance-identifier {instance} "
        "--master-user-password "
        "'<a new password>' --apply-immediately",
        others=_own(
            "ORDERHE_MYSQL_USER={user}\nORDERHE_MYSQL_PASSWORD='<its password>'",
            "a new password, as an administrator: alter user '{user}'@'%' identified by '<a new password>'",
            "env",
        ),
        codes=("1045", "1698"),
        examples=(
            Example(
                "Access denied for user 'etl'@'10.0.0.7' (using password: YES) (1045)",
                _MARIADB,
                "1045",
                _RDS,
            ),
            Example(
                "Access denied for user 'root'@'localhost' (1698)",
                "MariaDB, unix_socket",
                "1698",
                _HERE,
            ),
        ),
    ),
    Signature(
        name="mysql-no-right-to-database",
        system="mysql",
        title="The user may not use the database",
        cause="{user} has no right on the database {database}, or there is none of that name",
        how="the login passed, the database was denied (1044)",
        kind="sql",
        command="grant select, show view on `{database}`.* to '{user}'@'%';",
        console="docs/mysql.md has the rights for writing",
        codes=("1044",),
        examples=(
            Example(
                "Access denied for user 'etl'@'%' to database 'shop' (1044)", _MARIADB, "1044", _RDS
            ),
        ),
    ),
    Signature(
        name="mysql-no-right-to-table",
        system="mysql",
        title="The user may not do that with the table",
        cause="{user} lacks a right on a table or column of {database}",
        how="the server denied one command (1142, 1143)",
        kind="sql",
        command="grant select, show view on `{database}`.* to '{user}'@'%';",
        console="for a command that writes, grant what it names; docs/mysql.md has the list",
        codes=("1142", "1143", "1370"),
        examples=(
            Example(
                "SELECT command denied to user 'etl'@'%' for table 'orders' (1142)",
                _MARIADB,
                "1142",
                _RDS,
            ),
        ),
    ),
    Signature(
        name="mysql-no-privilege",
        system="mysql",
        title="The user lacks a right of the whole server",
        cause="what was asked needs a right that {user} has not; the pipeline itself needs none of these",
        how="the server names the right (1227)",
        kind="sql",
        command="show grants for '{user}'@'%';",
        codes=("1227",),
        examples=(
            Example(
                "Access denied; you need (at least one of) the PROCESS privilege(s) for this "
                "operation (1227)",
                _MARIADB,
                "1227",
                _RDS,
            ),
        ),
    ),
    Signature(
        name="mysql-no-database",
        system="mysql",
        title="There is no such database in the MySQL",
        cause="the server has no database {database}: RDS makes none where `Initial database name` "
        "was left empty",
        how="the login passed, the name is unknown (1049)",
        kind="sql",
        command="create database `{database}` character set utf8mb4;",
        console="or run `orderhe create` as a user that may; or set ORDERHE_MYSQL_DATABASE",
        codes=("1049",),
        examples=(Example("Unknown database 'shop' (1049)", _MARIADB, "1049", _RDS),),
    ),
    Signature(
        name="mysql-host-not-allowed",
        system="mysql",
        title="No user of the MySQL may come from this machine",
        cause="users are known by name and host, and none is defined for the host this machine comes from",
        how="the server refused before it asked for a password (1130)",
        kind="sql",
        command="create user '{user}'@'%' identified by '<a password>' require ssl;\n"
        "grant select, show view on `{database}`.* to '{user}'@'%';",
        codes=("1130",),
        examples=(
            Example(
                "Host '10.0.0.7' is not allowed to connect to this MariaDB server (1130)",
                _MANUAL,
                "1130",
                _RDS,
            ),
        ),
    ),
    Signature(
        name="mysql-host-blocked",
        system="mysql",
        title="The MySQL has locked this machine out",
        cause="too many connections from here broke off in a row (max_connect_errors): probes of "
        "ports count, too",
        how="the server says so (1129)",
        kind="sql",
        command="flush hosts;",
        console="MySQL 8.4: truncate table performance_schema.host_cache",
        codes=("1129",),
        examples=(
            Example(
                "Host '10.0.0.7' is blocked because of many connection errors; unblock with "
                "'mysqladmin flush-hosts' "
                "(1129)",
                _MANUAL,
                "1129",
                _RDS,
            ),
        ),
    ),
    Signature(
        name="mysql-too-many-connections",
        system="mysql",
        title="The MySQL has no connection free",
        cause="all of max_connections are taken (a db.t4g.micro has some 60)",
        how="the server says so (1040)",
        kind="sql",
        command="show processlist;",
        console="close other clients, let fewer runs work at once (max_concurrent_runs in "
        "dagster.yaml), or take a larger "
        "instance",
        codes=("1040",),
        examples=(Example("Too many connections (1040)", _MARIADB, "1040", _RDS),),
    ),
    Signature(
        name="mysql-user-limit",
        system="mysql",
        title="The user has used up what it may",
        cause="{user} has a limit of connections or queries of its own, and has reached it",
        how="the server names the limit (1203, 1226)",
        kind="sql",
        command="alter user '{user}'@'%' with max_user_connections 0 max_queries_per_hour 0;",
        codes=("1203", "1226"),
        examples=(
            Example(
                "User 'etl' has exceeded the 'max_user_connections' resource (current value: 1) (1226)",
                _MARIADB,
                "1226",
                _RDS,
            ),
            Example(
                "User etl already has more than 'max_user_connections' active connections (1203)",
                _MANUAL,
                "1203",
                _RDS,
            ),
        ),
    ),
    Signature(
        name="mysql-wants-tls",
        system="mysql",
        title="The MySQL takes TLS only",
        cause="require_secure_transport is on, and ORDERHE_MYSQL_SSLMODE sends everything in clear",
        how="the server says so (3159)",
        kind="env",
        command="ORDERHE_MYSQL_SSLMODE=verify-full",
        codes=("3159", "4150"),
        examples=(
            Example(
                "Connections using insecure transport are prohibited while "
                "--require_secure_transport=ON. (3159)",
                _MANUAL,
                "3159",
                _RDS,
            ),
        ),
    ),
    Signature(
        name="mysql-login-method",
        system="mysql",
        title="The MySQL wants a way to log in that this client has not",
        cause="the user's authentication plugin needs the package cryptography, TLS, or is not supported",
        how="the plugin is named in the error (2059)",
        command=".venv/bin/python -m pip install cryptography",
        console="or, as an administrator: alter user '{user}'@'%' identified with "
        "caching_sha2_password by '<a password>'",
        pattern=r"cryptography|plugin|\(2059\)|\(1251\)",
        examples=(
            Example(
                "'cryptography' package is required for sha256_password or caching_sha2_password "
                "auth methods",
                "pymysql's source, _auth.py",
                "",
                _RDS,
            ),
            Example(
                "Authentication plugin 'auth_gssapi_client' not configured (2059)",
                "pymysql's source",
                "2059",
                _RDS,
            ),
        ),
    ),
    Signature(
        name="mysql-password-expired",
        system="mysql",
        title="The user's password has expired, or the account is locked",
        cause="{user} must have a new password before it may do anything",
        how="the server says so (1820, 1862, 3118, 4151)",
        kind="sql",
        command="alter user '{user}'@'%' identified by '<a new password>' password expire never "
        "account unlock;",
        codes=("1820", "1862", "3118", "4151"),
        examples=(
            Example(
                "Your password has expired. To log in you must change it using a client that "
                "supports expired passwords. "
                "(1862)",
                _MARIADB,
                "1862",
                _RDS,
            ),
            Example("Access denied, this account is locked (4151)", _MARIADB, "4151", _RDS),
        ),
    ),
    Signature(
        name="mysql-read-only",
        system="mysql",
        title="The MySQL takes no writing",
        cause="{host} is a replica, or its storage is full: the pipeline only reads, so this met "
        "`orderhe create`, an import "
        "or the simulation",
        how="the server refused to write (1290, 1792, 1836)",
        kind="env",
        command="ORDERHE_MYSQL_HOST=<the primary's endpoint>",
        codes=("1290", "1792", "1836"),
        examples=(
            Example(
                "The MariaDB server is running with the --read-only option so it cannot execute "
                "this statement (1290)",
                _MARIADB,
                "1290",
                _RDS,
            ),
        ),
    ),
    Signature(
        name="mysql-time-limit",
        system="mysql",
        title="The MySQL ended the query for its length",
        cause="max_statement_time (MariaDB) or max_execution_time (MySQL) is shorter than reading takes",
        how="the server says so (1969, 3024)",
        kind="sql",
        command="alter user '{user}'@'%' with max_statement_time 0;",
        console="MySQL: set global max_execution_time = 0, or a higher one in the parameter group",
        codes=("1969", "3024"),
        examples=(
            Example(
                "Query execution was interrupted (max_statement_time exceeded) (1969)",
                _MARIADB,
                "1969",
                _RDS,
            ),
            Example(
                "Query execution was interrupted, maximum statement execution time exceeded (3024)",
                _MANUAL,
                "3024",
                _RDS,
            ),
        ),
    ),
    Signature(
        name="mysql-lock",
        system="mysql",
        title="Another transaction is in the way",
        cause="rows or a table stayed locked by somebody else, or two waited for one another",
        how="the server gave up waiting (1205, 1213)",
        kind="sql",
        command="show processlist;",
        console="run the same command again; where it recurs, end who holds the lock: kill <id>",
        codes=("1205", "1213", "1020"),
        examples=(
            Example(
                "Lock wait timeout exceeded; try restarting transaction (1205)",
                _MARIADB,
                "1205",
                _RDS,
            ),
            Example(
                "Deadlock found when trying to get lock; try restarting transaction (1213)",
                _MARIADB,
                "1213",
                _RDS,
            ),
        ),
    ),
    Signature(
        name="mysql-full",
        system="mysql",
        title="The MySQL's disk is full",
        cause="the server has no room left, for rows or for what it sorts",
        how="the server says so (1114, 1021, 28)",
        command="aws rds modify-db-instance --region {region} --db-instance-identifier {instance} "
        "--allocated-storage "
        "<more GiB> --apply-immediately",
        console="console: RDS > Databases > {instance} > Modify > Storage",
        others=_own(
            "{on_host}df -h",
            "make room where datadir and tmpdir lie: purge binary logs before now() - interval 3 day, or a "
            "larger disk",
        ),
        codes=("1114", "1021"),
        examples=(Example("The table 'orders' is full (1114)", _MANUAL, "1114", _RDS),),
    ),
    Signature(
        name="mysql-no-table",
        system="mysql",
        title="A contract's table is not in the MySQL",
        cause="the contract in raw/ names a table that {database} has not, or that the user may not see",
        how="the server knows no such table (1146)",
        command="orderhe create",
        console="where the shop has its tables already, the contract's name is wrong: orderhe "
        "adopt --update shows what "
        "differs",
        codes=("1146",),
        examples=(Example("Table 'shop.orders' doesn't exist (1146)", _MARIADB, "1146", _RDS),),
    ),
)
