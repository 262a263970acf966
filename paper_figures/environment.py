"""What a run rested on: versions and machine."""

import platform
from pathlib import Path

import jax

from paper_figures.runner import LIBRARIES, installed


def environment() -> dict[str, str]:
    """Versions of Python and the libraries, the processor, JAX's device, the platform."""
    versions = {name: installed(name) for name in (*LIBRARIES, "matplotlib")}
    device = jax.devices()[0]
    return {
        "Python": platform.python_version(),
        **versions,
        "Processor": _processor(),
        "JAX device": f"{device.platform}, {device.device_kind}, {jax.device_count()} in all",
        "Platform": platform.platform(),
    }


def _processor() -> str:
    """The model's name, which :func:`platform.processor` does not know on Linux."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
