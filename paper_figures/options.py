"""The command line, checked before anything is computed."""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

import jax

from paper_figures import executors, readme
from theory.claims import budgets


def parse(
    arguments: Sequence[str] | None, known: tuple[str, ...], description: str | None
) -> argparse.Namespace:
    """Read the command line; wrong arguments end the process with 2 and say what is allowed.

    Args:
        arguments: without the program's name; `None` takes those of the process.
        known: papers there are.
        description: for the help text.
    """
    parser = argparse.ArgumentParser(
        prog="python -m paper_figures", description=description, allow_abbrev=False
    )
    add = parser.add_argument
    add("papers", nargs="*", metavar="PAPER", help=f"default: all ({', '.join(known)})")
    add("--budget", default="laptop", help=f"{', '.join(budgets)} (default: laptop)")
    add("--data", type=Path, metavar="DIR", help="public data sets (default: $NEURONS_DATA)")
    add("--out", type=Path, default=Path("figures_out"), metavar="DIR", help="default: figures_out")
    add("--seed", type=int, default=0, help="default: 0")
    add(
        "--executor",
        metavar="WHERE",
        help=f"who computes: {executors.KINDS} (default: this process); a cluster's workers see "
        "the folders of --out and --data under the same paths",
    )
    add(
        "--devices",
        type=int,
        metavar="N",
        help="spread seeds and batches over so many of JAX's devices (default: one does it all); "
        "not with --executor",
    )
    add(
        "--resume",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="use evidence of earlier runs that still holds (default), or compute all of it again",
    )
    add(
        "--stored",
        action="store_true",
        help="write figures and report from what is stored, and compute nothing",
    )
    add(
        "--readme",
        type=Path,
        metavar="FILE",
        help="whose table to rewrite (default: README.md here, if it has the markers and all "
        "papers are checked above the smoke budget)",
    )
    options = parser.parse_args(arguments)
    problem = _problem(options, known)
    if problem:
        parser.error(problem)
    return options


def _problem(options: argparse.Namespace, known: tuple[str, ...]) -> str:
    """What is wrong with the options; settles those that depend on the surroundings."""
    for paper in options.papers:
        if paper not in known:
            return f"unknown paper {paper!r}; known are {', '.join(known)}"
    if options.budget not in budgets:
        return f"unknown budget {options.budget!r}; known are {', '.join(budgets)}"
    if options.executor is not None and not executors.allowed(options.executor):
        return f"unknown executor {options.executor!r}; allowed are {executors.KINDS}"
    return (
        _devices_problem(options)
        or _data_problem(options)
        or _out_problem(options)
        or _readme_problem(options, known)
    )


def _devices_problem(options: argparse.Namespace) -> str:
    if options.devices is None:
        return ""
    if options.executor is not None:
        return "--devices spreads the work of this process: not with --executor"
    there = jax.device_count()
    if not 1 <= options.devices <= there:
        more = "; XLA_FLAGS=--xla_force_host_platform_device_count=N makes N of a CPU"
        return f"--devices must be from 1 to {there}, got {options.devices}{more}"
    return ""


def _data_problem(options: argparse.Namespace) -> str:
    named = "--data"
    if options.data is None and os.environ.get("NEURONS_DATA"):
        named, options.data = "NEURONS_DATA", Path(os.environ["NEURONS_DATA"])
    if options.data is not None and not options.data.is_dir():
        return f"{named} must name an existing folder, got {options.data}"
    return ""


def _out_problem(options: argparse.Namespace) -> str:
    if options.out.exists() and not options.out.is_dir():
        return f"--out must name a folder, {options.out} is a file"
    return ""


def _readme_problem(options: argparse.Namespace, known: tuple[str, ...]) -> str:
    whole = set(options.papers or known) == set(known) and options.budget != "smoke"
    asked = options.readme is not None
    path = options.readme or Path("README.md")
    marked = path.is_file() and readme.has_block(path.read_text(encoding="utf-8"), "claims")
    options.readme = path if whole and marked else None
    if asked and not whole:
        return "--readme quotes whole runs: give no PAPER, and the budget laptop or paper"
    if asked and not marked:
        return f"--readme must name a file with the markers <!-- claims:begin/end -->, got {path}"
    return ""
