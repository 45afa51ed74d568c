"""Runs a command and prints its wall time, CPU time and peak resident memory as JSON: measure.py COMMAND ARGUMENT..."""

import json
import os
import sys
import time

start = time.perf_counter()
pid = os.posix_spawn(
    sys.argv[1],
    sys.argv[1:],
    os.environ,
    file_actions=[
        (os.POSIX_SPAWN_OPEN, 1, os.environ.get("MEASURE_STDOUT", os.devnull), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644),
        (os.POSIX_SPAWN_OPEN, 2, os.environ.get("MEASURE_STDERR", os.devnull), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644),
    ],
)
_, status, usage = os.wait4(pid, 0)
# Linux counts a process and the children that it waited for; the peak is that of the largest of them.
print(
    json.dumps(
        {
            "wallS": time.perf_counter() - start,
            "cpuS": usage.ru_utime + usage.ru_stime,
            "peakMiB": usage.ru_maxrss / 1024,
            "exit": os.waitstatus_to_exitcode(status),
        }
    )
)
