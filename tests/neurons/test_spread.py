import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import pytest

from neurons.spread import layout, spread_over, usable

HERE = Path(__file__).parent
SCRIPT = HERE / "spread_runs.py"
# Sums of gradients come in another order; what follows differs by as much.
CLOSE = {"rtol": 2e-4, "atol": 2e-5}


def begin(devices, *arguments):
    surroundings = {
        **os.environ,
        "XLA_FLAGS": f"--xla_force_host_platform_device_count={devices}",
        "PYTHONPATH": str(HERE.parents[1]),
    }
    return subprocess.Popen(
        [sys.executable, SCRIPT, *arguments],
        env=surroundings,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def told(process):
    out, err = process.communicate(timeout=240)
    assert process.returncode == 0, err
    return json.loads(out.splitlines()[-1])


@pytest.fixture(scope="module")
def alone():
    found = told(begin(1))
    assert found.pop("devices") == 1
    return found


def same(found, alone):
    assert found.keys() == alone.keys()
    for name, values in alone.items():
        np.testing.assert_allclose(found[name], values, err_msg=name, **CLOSE)


def test_eight_devices_train_as_one_does(alone):
    found = told(begin(8))
    assert found.pop("devices") == 8
    same(found, alone)


def test_two_processes_train_as_one_does(alone):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    both = [begin(1, address, "2", str(number)) for number in range(2)]
    for process in both:
        found = told(process)
        assert found.pop("devices") == 2
        same(found, alone)


def test_one_device_is_no_mesh():
    with spread_over(jax.devices()[:1]):
        assert layout(8, 32) is None
    assert layout(8, 32) is None


@pytest.mark.parametrize(
    ("devices", "parts", "processes", "used"),
    [
        (8, 8, 1, 8),
        (8, 16, 1, 8),
        (8, 6, 1, 6),
        (8, 20, 1, 5),
        (2, 7, 1, 1),
        (0, 7, 1, 1),
        (4, 8, 2, 4),
        (4, 6, 2, 1),
    ],
)
def test_as_many_devices_as_cut_evenly(devices, parts, processes, used):
    assert usable(devices, parts, processes) == used


@pytest.mark.parametrize("devices", [[], jax.devices()[:1] * 2])
def test_devices_must_be_different_and_some(devices):
    with (
        pytest.raises(ValueError, match="spread_over needs different devices"),
        spread_over(devices),
    ):
        pass
