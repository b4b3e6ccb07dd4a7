"""The variables by which the platform reaches a local Redshift of the tests. Nothing is served here."""

from __future__ import annotations

from local_redshift.testing.server import Redshift


def variables_of(server: Redshift) -> dict[str, str]:
    """The ORDERHE_REDSHIFT_* variables of a client."""
    values = {
        "HOST": server.host,
        "PORT": str(server.port),
        "USER": server.user,
        "PASSWORD": server.password,
        "DATABASE": server.database_name,
        "SSLMODE": "verify-full" if server.ca else "disable",
        "SSL_CA": server.ca,
    }
    return {f"ORDERHE_REDSHIFT_{name}": value for name, value in values.items() if value}
