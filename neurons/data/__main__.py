# ruff: noqa: T201 (a command speaks by printing)
"""The command `python -m neurons.data list | fetch NAME | verify NAME`."""

import argparse
import sys
from collections.abc import Sequence

from neurons.data.download import fetch
from neurons.data.registry import DataError, available, entries, names, verify


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: Words after the program's name; those of the process by default.

    Returns:
        Exit status: 0, or 1 when data is missing, damaged or out of reach.

    Raises:
        SystemExit: With status 2 on a usage error, the allowed names in its message.
    """
    options = _parser().parse_args(arguments)
    try:
        return {"list": _list, "fetch": _fetch, "verify": _verify}[options.command](options)
    except DataError as error:
        return _fail(error)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m neurons.data", description="Public data.")
    commands = parser.add_subparsers(dest="command", required=True)
    helps = {
        "list": "show the sets and whether they are here",
        "fetch": "download what is missing of a set",
        "verify": "check the size and SHA-256 of every file of a set",
    }
    for command, text in helps.items():
        sub = commands.add_parser(command, help=text)
        sub.add_argument("--folder", help="data folder before $NEURONS_DATA and the cache")
        if command != "list":
            sub.add_argument("name", choices=names(), metavar="NAME", help=", ".join(names()))
    return parser


def _list(options: argparse.Namespace) -> int:
    for name in names():
        files = entries(name)
        size = sum(entry.bytes for entry in files) / 1e6
        state = "here" if available(name, options.folder) else "not here"
        print(f"{name:<16} {len(files):>5} files {size:>8.1f} MB  {state}")
    return 0


def _fetch(options: argparse.Namespace) -> int:
    for path in fetch(options.name, options.folder).values():
        print(path)
    return 0


def _verify(options: argparse.Namespace) -> int:
    if problems := verify(options.name, options.folder):
        return _fail(*problems)
    print(f"{options.name}: {len(entries(options.name))} files, all intact")
    return 0


def _fail(*errors: DataError) -> int:
    for error in errors:
        print(error, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
