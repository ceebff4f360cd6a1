"""What every Python peer shares: one JSON argument in, one JSON line out, memory and times measured the same way."""

import json
import statistics
import sys
import time


def task():
    return json.loads(sys.argv[1])


def answer(**measurement):
    print(json.dumps(measurement, allow_nan=False), flush=True)


def memory_bytes(field):
    """VmRSS (now) or VmHWM (highest since the last reset) of this process."""
    with open("/proc/self/status") as status:
        for line in status:
            if line.startswith(field + ":"):
                return int(line.split()[1]) * 1024
    raise RuntimeError(f"/proc/self/status has no {field}")


def reset_peak():
    with open("/proc/self/clear_refs", "w") as clear:
        clear.write("5")


def timed_ms(work):
    started = time.perf_counter()
    result = work()
    return (time.perf_counter() - started) * 1000, result


def best_and_median(times_ms):
    return {"bestMs": min(times_ms), "medianMs": statistics.median(times_ms)}
