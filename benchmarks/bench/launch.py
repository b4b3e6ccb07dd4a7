"""A small process between the bench and what it measures: `launch.py FD COMMAND...`.

Linux counts as a child's peak what its parent holds when it is started, and the bench holds drivers. This
program imports next to nothing, waits, and writes to the file descriptor what the command has used.
"""

import os
import sys
import time


def main(fd: int, words: list[str]) -> None:
    """Run the command; end as it does."""
    began = time.perf_counter()
    pid = os.posix_spawnp(words[0], words, os.environ)
    _, status, used = os.wait4(pid, 0)
    wall = time.perf_counter() - began
    told = f"{wall} {used.ru_utime + used.ru_stime} {used.ru_maxrss / 1024}"
    os.write(fd, told.encode())
    code = os.waitstatus_to_exitcode(status)
    sys.exit(code if code >= 0 else 128 - code)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
