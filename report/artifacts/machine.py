"""The machine that computed something, since on another one the same code may give other bits."""

import functools
import os
import platform
import sys

import numpy as np


@functools.cache
def fingerprint() -> dict[str, str]:
    """Describe system, processor, cores, threads and accelerator, each as a text."""
    facts = {
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "python": platform.python_version(),
        "blas": _blas(),
    }
    if torch := sys.modules.get("torch"):
        facts["torch"] = torch.__version__
        facts["threads"] = str(torch.get_num_threads())
        facts["accelerator"] = torch.cuda.get_device_name() if torch.cuda.is_available() else "none"
    return facts


def _blas() -> str:
    """The library that multiplies NumPy's matrices."""
    built_with = np.show_config(mode="dicts").get("Build Dependencies", {}).get("blas", {})
    return f"{built_with.get('name', 'unknown')} {built_with.get('version', '')}".strip()


def _processor() -> str:
    try:
        with open("/proc/cpuinfo") as file:
            return next(
                (line.split(":")[1].strip() for line in file if line.startswith("model name")),
                "unknown",
            )
    except OSError:
        return platform.processor() or "unknown"
