"""Step 2 of docs/tutorial.md: connect to the warehouse from Python, by Amazon's own driver."""

import os

import redshift_connector

if "ORDERHE_REDSHIFT_HOST" not in os.environ:
    raise SystemExit("Start the server, then in this terminal: . .orderhe/tutorial/server.sh")
if "SSL_CERT_FILE" not in os.environ:
    raise SystemExit("In this terminal first: export SSL_CERT_FILE=$ORDERHE_REDSHIFT_SSL_CA")
setting = {
    name: os.environ[f"ORDERHE_REDSHIFT_{name.upper()}"]
    for name in ("host", "port", "user", "password", "database")
}

with (
    redshift_connector.connect(
        **{**setting, "port": int(setting["port"])}, ssl=True, sslmode="verify-full"
    ) as connection,
    connection.cursor() as cursor,
):
    cursor.execute("select current_user, current_database(), 6 * 7")
    user, database, answer = cursor.fetchone()
    print(f"connected to {database} as {user}; 6 * 7 = {answer}")
