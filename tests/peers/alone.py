#!/usr/bin/env python3
"""Runs a command and tells how much the rest of the machine did meanwhile.

    python alone.py REPORT.json COMMAND…

Writes `other_cores`, the mean number of cores that other processes kept busy, and `wall_secs`. Input, output and exit
status are the command's.
"""
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil


def main():
    report, command = Path(sys.argv[1]), sys.argv[2:]
    busy, started = busy_secs(), time.perf_counter()
    status = subprocess.run(command).returncode
    wall = time.perf_counter() - started
    own = os.times()
    others = busy_secs() - busy - own.children_user - own.children_system
    report.write_text(json.dumps(dict(other_cores=max(others, 0.0) / wall, wall_secs=wall)))
    sys.exit(status)


def busy_secs():
    """Seconds all cores together were busy since the machine started."""
    times = psutil.cpu_times()._asdict()
    # What guests do is in `user` and `nice` already.
    idle = ("idle", "iowait", "guest", "guest_nice")
    return sum(secs for name, secs in times.items() if name not in idle)


if __name__ == "__main__":
    main()
