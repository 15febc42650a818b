"""The peak memory of a process, since the last reset or since its start."""

import resource
import sys
from pathlib import Path

STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
FORGET_PEAK = "5"  # proc(5): reset the peak resident set size
UNIT = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss, in bytes


def forget_peak() -> bool:
    """Start to count anew; False if the system cannot, and the peak is that of the whole process."""
    try:
        CLEAR.write_text(FORGET_PEAK)
    except OSError:
        return False
    return True


def peak() -> int:
    """The largest resident set in bytes."""
    try:
        line = next(line for line in STATUS.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * UNIT
