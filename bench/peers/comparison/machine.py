"""What was measured on: processor, memory, kernel, system."""

import os
import platform


def _first(path, name, separator) -> str:
    try:
        with open(path) as lines:
            for line in lines:
                key, _, value = line.partition(separator)
                if key.strip() == name:
                    return value.strip().strip('"')
    except OSError:
        pass
    return "unknown"


def described() -> dict:
    memory = _first("/proc/meminfo", "MemTotal", ":").split()
    return {
        "processor": _first("/proc/cpuinfo", "model name", ":"),
        "processors": os.cpu_count(),
        "memory_gib": round(int(memory[0]) / 1024**2, 1) if memory[0].isdigit() else None,
        "kernel": f"{platform.system()} {platform.release()}",
        "system": _first("/etc/os-release", "PRETTY_NAME", "="),
    }
