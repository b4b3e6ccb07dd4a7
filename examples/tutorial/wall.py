"""The walls of docs/tutorial.md: a port of this machine that drops what knocks, as a security group does.

    python examples/tutorial/wall.py 3399

It listens, and its queue of one connection is full: the machine itself drops whatever comes after that,
and says nothing to anybody. Ctrl-C takes the wall away.
"""

import contextlib
import socket
import sys
import time


def main() -> None:
    """Stand there until Ctrl-C."""
    if len(sys.argv) != 2 or not sys.argv[1].isdecimal():
        raise SystemExit("usage: python examples/tutorial/wall.py PORT")
    with socket.socket() as wall:
        wall.bind(("127.0.0.1", int(sys.argv[1])))
        wall.listen(0)
        port = wall.getsockname()[1]
        waiting = [socket.socket() for _ in range(8)]
        for one in waiting:  # nobody takes them, so the queue is full from here on
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        print(f"port {port} answers nobody", flush=True)
        while True:
            time.sleep(600)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
