"""Run by test_distributed in processes of their own: `shards.py eight|two OUT [RANK PORT]`."""

import sys

import numpy as np


def data(rows=1003, heavy=False):
    """Inputs, two targets, and weights; the same in every process."""
    rng = np.random.default_rng(7)
    x = rng.standard_t(1.2, (rows, 3)) if heavy else rng.uniform(-2, 3, (rows, 3))
    y = np.stack([np.sin(1.5 * x).sum(1), np.cos(x).sum(1)], axis=1)
    return x, y + 0.1 * rng.normal(size=y.shape), rng.random(rows)


def read_part(number, rows):
    """What a worker with its own data does."""
    x, y, weights = data()
    cut = slice(number * rows, (number + 1) * rows)
    return x[cut], y[cut], weights[cut]


def eight(file):
    """All rows on the devices of one process."""
    import jax

    assert len(jax.devices()) == 8
    save(file, slice(None), rows=50)


def two(file, rank, port):
    """Some of the rows, as one of two processes."""
    import jax

    jax.config.update("jax_cpu_collectives_implementation", "gloo")
    jax.distributed.initialize(f"127.0.0.1:{port}", 2, int(rank), initialization_timeout=30)
    save(file, slice(0, 300) if rank == "0" else slice(300, None))
    jax.distributed.shutdown()


def save(file, cut, **options):
    from neurons.search.distributed import compress_sharded
    from neurons.search.frame import frame_of

    x, y, weights = data()
    found = compress_sharded(x[cut], y[cut], frame_of(x), weights=weights[cut], **options)
    np.savez(file, factor=found.factor, samples=found.samples)


if __name__ == "__main__":
    {"eight": eight, "two": two}[sys.argv[1]](*sys.argv[2:])
