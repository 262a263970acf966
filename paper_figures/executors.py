"""Where the evidence of a run is computed: worker processes here, or a Dask cluster."""

import multiprocessing
import os
import re
import signal
import threading
import time
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import suppress
from typing import Protocol

from threadpoolctl import threadpool_limits

KINDS = "process, process:WORKERS or dask:ADDRESS"
GRACE = 5.0  # seconds that a worker has to end
ANSWER = 10.0  # seconds that a scheduler has to answer


class NoWorkers(Exception):  # noqa: N818
    """Nobody is there to compute."""


class Workers(Protocol):
    """Who computes: an executor that can be replaced when its workers have died.

    `at_once` says how many tasks it can be given at a time; `None` if it looks after that itself.
    """

    at_once: int | None

    def executor(self) -> Executor:
        """The executor in use."""

    def renew(self) -> None:
        """Replace an executor that is broken."""

    def close(self) -> None:
        """End all work, finished or not."""


class Processes:
    """Worker processes of this machine, each with its share of the cores.

    Args:
        count: how many; as many as there are cores by default.

    Raises:
        ValueError: for less than one.
    """

    def __init__(self, count: int | None = None) -> None:
        cores = _cores()
        self.count = cores if count is None else count
        if self.count < 1:
            raise ValueError(f"at least one worker process, got {count}")
        # With a single thread XLA computes other last digits than with two or more.
        self._threads = max(2, cores // self.count)
        self.at_once: int | None = self.count
        self._pool = self._begin()

    def _begin(self) -> ProcessPoolExecutor:
        # A forked copy of a process with JAX's threads may hang: workers start from nothing.
        spawn = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(
            self.count, spawn, initializer=_prepare, initargs=(os.getpid(), self._threads)
        )

    def executor(self) -> Executor:
        """The pool in use."""
        return self._pool

    def renew(self) -> None:
        """A new pool in place of one whose worker died."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._pool = self._begin()

    def close(self) -> None:
        """End the workers, at work or not: what they had stored is kept."""
        ours = list((getattr(self._pool, "_processes", None) or {}).values())
        self._pool.shutdown(wait=False, cancel_futures=True)
        for process in ours:
            process.terminate()
        for process in ours:
            process.join(GRACE)


class Dask:
    """The workers of a running Dask cluster, which see the output folder under the same path.

    Args:
        address: of its scheduler, e.g. "tcp://127.0.0.1:8786".

    Raises:
        NoWorkers: without the extra `distributed`, or a scheduler that answers.
    """

    def __init__(self, address: str) -> None:
        try:
            from distributed import Client

            self._client = Client(address, timeout=ANSWER)
        except ModuleNotFoundError as problem:
            way_out = "pip install 'neuron-companion[distributed]'"
            raise NoWorkers(f"Dask is not installed ({problem}): {way_out}") from problem
        except (OSError, ValueError) as problem:
            raise NoWorkers(f"no Dask scheduler answers at {address}: {problem}") from problem
        self.at_once: int | None = None
        # Dask gives the task of a worker that died to another one by itself.
        self._pool: Executor = self._client.get_executor(pure=False, retries=0)

    def executor(self) -> Executor:
        """The cluster as an executor."""
        return self._pool

    def renew(self) -> None:
        """Nothing to replace: the scheduler looks after its workers."""

    def close(self) -> None:
        """Leave the cluster; tasks that nobody waits for are dropped."""
        self._client.close()


def workers(spec: str) -> Workers:
    """Workers by their description on the command line.

    Args:
        spec: "process" (a worker for every core), "process:3" or "dask:tcp://host:8786".

    Raises:
        ValueError: for another description.
    """
    if not allowed(spec):
        raise ValueError(f"unknown executor {spec!r}; allowed: {KINDS}")
    kind, _, detail = spec.partition(":")
    if kind == "dask":
        return Dask(detail)
    return Processes(int(detail) if detail else None)


def allowed(spec: str) -> bool:
    """Whether a description can be understood."""
    return re.fullmatch(r"process(:[1-9]\d{0,3})?|dask:.+", spec) is not None


def _cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _prepare(parent: int, threads: int) -> None:
    """Make a fresh process a worker: its share of the cores, its end with its parent's."""
    os.environ["NPROC"] = str(threads)  # read by XLA when its CPU device starts
    threadpool_limits(threads)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent is told, and ends its workers
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    with suppress(AttributeError):  # no parents to ask for on Windows
        while os.getppid() == parent:
            time.sleep(1.0)
        os._exit(1)
