"""What identifies the machine behind a measurement: CPU model, cores, the ISA levels that matter, kernel, memory."""

import hashlib
import os
import platform

LEVELS = ("avx2", "fma", "f16c", "avx512f", "avx512_vnni", "avx_vnni", "avx512_bf16", "avx512_fp16", "amx_int8", "amx_bf16")


def _cpuinfo():
    fields = {}
    try:
        with open("/proc/cpuinfo") as file:
            for line in file:
                key, _, value = line.partition(":")
                fields.setdefault(key.strip(), value.strip())
    except OSError:
        pass
    return fields


def describe():
    """A JSON-ready dict."""
    info = _cpuinfo()
    flags = set(info.get("flags", "").split())
    result = {
        "cpu": info.get("model name", platform.processor() or "unknown"),
        "family": f"{info.get('cpu family', '?')}/{info.get('model', '?')}/{info.get('stepping', '?')}",
        "cores": len(os.sched_getaffinity(0)),
        "isa": [level for level in LEVELS if level in flags],
        "kernel": platform.release(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
    }
    result["id"] = hashlib.sha256(repr(sorted(result.items())).encode()).hexdigest()[:12]
    return result
