"""Time a command several times from a process smaller than any command measured.

The kernel counts the memory that a child shares with its parent before ``exec`` in the child's ``ru_maxrss``; started
from the benchmark itself, every command would seem at least as large as the benchmark. Run as a script, isolated and
without ``site``: reads ``[times, stdout path, argv…]`` from its arguments, prints one JSON list of
``[exit code, wall s, CPU s, peak kB]`` per run.
"""

import os
import sys
import time


def once(output: str, argv: list[str]) -> list[float]:
    """Run ``argv`` once, its output into the file ``output``."""
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644),
        (os.POSIX_SPAWN_OPEN, 2, f"{output}.stderr", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644),
    ]
    begun = time.perf_counter()
    pid = os.posix_spawn(argv[0], argv, os.environ, file_actions=actions)
    _, status, used = os.wait4(pid, 0)
    wall = time.perf_counter() - begun
    return [os.waitstatus_to_exitcode(status), wall, used.ru_utime + used.ru_stime, used.ru_maxrss]


if __name__ == "__main__":
    print([once(sys.argv[2], sys.argv[3:]) for _ in range(int(sys.argv[1]))])
