"""How many files this process may hold open at a time. Which files those are is not said here."""

from __future__ import annotations

RESERVE = 64
"""Files kept free for everything else: databases, locks, logs, sockets."""


def open_file_limit(files: int) -> int:
    """How many of `files` may be open at once: all where the system allows it, at least one.

    The system's soft limit is raised towards its hard one where it is too low (macOS begins with
    256). It stays raised: another thread may be counting on it.
    """
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return files
    wanted = files + RESERVE
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return files
    raised = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if raised > soft:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (raised, hard))
            soft = raised
        except (ValueError, OSError):
            pass  # a kernel's own ceiling below the hard limit: what there is has to do
    return max(1, min(files, soft - RESERVE))
