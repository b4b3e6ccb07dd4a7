"""Who listens on a port of this machine, for errors. Nothing listens or connects here."""

from __future__ import annotations

from pathlib import Path

_PROC = Path("/proc")
_LISTENS = "0A"  # in the kernel's tables of TCP
_WORDS = 100  # characters of a command line


def listener(port: int) -> str:
    """The process that listens on the port, and its command; "" where that is not to be seen."""
    nodes = _listening(port)
    for folder in _PROC.iterdir() if nodes else ():
        if not folder.name.isdigit():
            continue
        try:
            if nodes.isdisjoint(map(_node, (folder / "fd").iterdir())):
                continue
            words = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:  # another user's, or it has just ended
            continue
        return f"process {folder.name} ({words.strip()[:_WORDS]})"
    return ""


def _listening(port: int) -> set[str]:
    """The sockets of whoever listens there."""
    nodes = set()
    for table in ("net/tcp", "net/tcp6"):
        try:
            lines = (_PROC / table).read_text("ascii").splitlines()[1:]
        except OSError:  # no Linux
            continue
        for line in lines:
            fields = line.split()
            if fields[3] == _LISTENS and int(fields[1].rpartition(":")[2], 16) == port:
                nodes.add(f"socket:[{fields[9]}]")
    return nodes


def _node(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:  # closed meanwhile
        return ""
