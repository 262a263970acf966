"""Data in parts: devices, processes, pools and clusters all give the triangle of the whole."""

import os
import socket
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import jax
import numpy as np
import pytest
from shards import data, read_part

from neurons.search.distributed import compress_in, compress_sharded, frame_of_sketches, sketch
from neurons.search.frame import Frame, frame_of
from neurons.search.genetic import Evolution
from neurons.search.moments import compress
from neurons.search.search import Budget, search
from neurons.search.space import Space

TESTS = Path(__file__).parents[1]
ROOT = TESTS.parents[1]


def started(*arguments, devices=1):
    flags = f"--xla_force_host_platform_device_count={devices}"
    own = {"XLA_FLAGS": flags, "PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu"}
    words = [sys.executable, TESTS / "shards.py", *map(str, arguments)]
    return subprocess.Popen(
        words, env={**os.environ, **own}, stderr=subprocess.PIPE, cwd=ROOT, text=True
    )


def finish(*processes, seconds=60):
    """Wait for all; whatever happens, none stays behind."""
    try:
        for process in processes:
            _, errors = process.communicate(timeout=seconds)
            assert process.returncode == 0, errors
    finally:
        for process in processes:
            with suppress(ProcessLookupError):
                process.kill()
            process.communicate()


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def distance(found, expected):
    assert found.shape == expected.shape
    return np.abs(found - expected).max() / np.abs(expected).max()


def square(triangle):
    """R'R, which the data determines where its columns are dependent and rounding chooses R."""
    return triangle.factor.T @ triangle.factor


def assert_equal(found, expected):
    assert found.samples == expected.samples
    assert found.frame == expected.frame
    assert distance(found.factor, expected.factor) < 1e-12


@pytest.fixture(scope="module")
def whole():
    x, y, weights = data()
    return compress(x, y, frame_of(x), weights=weights)


@pytest.fixture(scope="module")
def parts():
    x, y, weights = data()
    cuts = [slice(0, 100), slice(100, 101), slice(101, 640), slice(640, None)]
    return [(x[cut], y[cut], weights[cut]) for cut in cuts]


def test_one_device_gives_numpys_triangle(whole):
    x, y, weights = data()
    assert_equal(compress_sharded(x, y, whole.frame, weights=weights, rows=128), whole)


@pytest.mark.parametrize("rows", [1, 7, 64])
def test_few_rows_pad_the_triangle_with_zeros(rows):
    x, y, _ = data(rows)
    frame = frame_of(x)
    found = compress_sharded(x, y[:, 0], frame, degree=16)
    expected = compress(x, y[:, 0], frame, degree=16)
    assert distance(square(found), square(expected)) < 1e-12


def test_heavy_tails_go_through_the_same_bend():
    x, y, _ = data(heavy=True)
    frame = frame_of(x)
    assert frame.width > 0
    found, expected = compress_sharded(x, y, frame), compress(x, y, frame)
    assert distance(square(found), square(expected)) < 1e-12
    linear = Frame(frame.low, frame.high)
    assert distance(square(found), square(compress(x, y, linear))) > 1e-2


def test_weights_that_are_ignored_are_noticed(whole):
    x, y, _ = data()
    assert distance(compress_sharded(x, y, whole.frame).factor, whole.factor) > 1e-2


def test_eight_devices_give_the_triangle_of_one(whole, tmp_path):
    finish(started("eight", tmp_path / "found.npz", devices=8))
    found = np.load(tmp_path / "found.npz")
    assert found["samples"] == whole.samples
    assert distance(found["factor"], whole.factor) < 1e-12


def test_two_processes_both_get_the_triangle_of_all_rows(whole, tmp_path):
    port, files = free_port(), [tmp_path / "0.npz", tmp_path / "1.npz"]
    finish(*(started("two", file, number, port) for number, file in enumerate(files)))
    first, second = map(np.load, files)
    np.testing.assert_array_equal(first["factor"], second["factor"])
    assert first["samples"] == second["samples"] == whole.samples
    assert distance(first["factor"], whole.factor) < 1e-12


def test_threads_give_the_same_triangle_for_any_number_of_workers(parts, whole):
    found = []
    for workers in (1, 2, 8):
        with ThreadPoolExecutor(workers) as executor:
            found.append(compress_in(executor, parts, whole.frame))
    assert_equal(found[0], whole)
    for other in found[1:]:
        np.testing.assert_array_equal(other.factor, found[0].factor)


def test_a_part_may_be_read_where_it_is_compressed(whole):
    with ThreadPoolExecutor(2) as executor:
        readers = [partial(read_part, number, 251) for number in range(4)]
        assert_equal(compress_in(executor, readers, whole.frame), whole)


def test_a_process_pool_gives_the_same_triangle(parts, whole, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}{os.pathsep}{TESTS}")
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as executor:
        assert_equal(compress_in(executor, parts, whole.frame), whole)


@pytest.mark.filterwarnings("default")
def test_a_dask_cluster_gives_the_same_triangle_and_the_same_search(parts, whole, monkeypatch):
    distributed = pytest.importorskip("distributed", reason="needs the extra: distributed")
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}{os.pathsep}{TESTS}")
    options = {"dashboard_address": None, "processes": True, "host": "127.0.0.1"}
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, **options) as cluster,
        distributed.Client(cluster, timeout=30) as client,
    ):
        executor = client.get_executor()
        assert_equal(compress_in(executor, parts, whole.frame), whole)
        space = Space(powers=(1, 2), functions=("sin", "exp"))
        ask = {"engine": "genetic", "budget": Budget(evolution=Evolution(2, 4, 1, 1))}
        alone = search(whole, space=space, **ask)
        assert search(whole, space=space, executor=executor, **ask).front == alone.front


def test_the_search_finds_the_same_front_in_a_sharded_triangle():
    rng = np.random.default_rng(0)
    x = rng.uniform(-2, 2, (600, 3))
    y = (np.sin(1.5 * x) + 0.3 * x**2).sum(axis=1) + 0.1 * rng.normal(size=600)
    triangles = [reduce(x, y, frame_of(x)) for reduce in (compress, compress_sharded)]
    first, other = (search(triangle, engine="dictionary") for triangle in triangles)
    assert first.best.terms[1].structure == ("x", 1.0, "*", "sin")
    assert str(other.best) == str(first.best)
    # Of two ways to write one function, rounding may choose either.
    assert [one.complexity for one in other.front] == [one.complexity for one in first.front]
    losses = [[one.loss for one in found.front] for found in (first, other)]
    np.testing.assert_allclose(*losses, rtol=1e-6)


def test_without_parts_there_is_no_triangle():
    with ThreadPoolExecutor(1) as executor, pytest.raises(ValueError, match="no part"):
        compress_in(executor, [], Frame(-1.0, 1.0))
    with pytest.raises(ValueError, match="no part"):
        frame_of_sketches([])


def test_the_frame_of_sketches_is_that_of_the_whole(parts):
    x, _, _ = data()
    assert frame_of_sketches(sketch(part[0]) for part in parts) == frame_of(x)


def test_heavy_tails_show_in_merged_sketches():
    x, _, _ = data(20_000, heavy=True)
    uneven = [x[:15_000], x[15_000:19_000], x[19_000:]]
    found, expected = frame_of_sketches(map(sketch, uneven)), frame_of(x)
    assert (found.low, found.high) == (expected.low, expected.high)
    assert found.width == pytest.approx(expected.width, rel=0.01)
    assert found.centre == pytest.approx(expected.centre, abs=0.01)


def test_a_sketch_counts_by_its_part_s_size():
    rng = np.random.default_rng(0)
    big, small = rng.standard_t(2, (20_000, 1)), 1e4 + rng.normal(size=(20, 1))
    found = frame_of_sketches([sketch(big), sketch(small)])
    expected = frame_of(np.concatenate([big, small]))
    assert found.width == pytest.approx(expected.width, rel=0.02)
    assert abs(found.centre - expected.centre) < 0.02


def test_constant_inputs_are_refused():
    with pytest.raises(ValueError, match="every input is 2"):
        frame_of_sketches([sketch(np.full((3, 2), 2.0))] * 2)


def test_x64_does_not_leak():
    x, y, _ = data(20)
    compress_sharded(x, y, frame_of(x), degree=8)
    assert jax.numpy.ones(1).dtype == np.float32
