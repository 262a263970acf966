"""Which data a claim gets: the public set if it is at hand, the claim's simulation otherwise."""

import hashlib
import importlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Protocol

from theory.claims import Claim


class Reader(Protocol):
    """What is used of :mod:`neurons.data`."""

    DataError: type[Exception]

    def available(self, name: str, folder: Path | None = None) -> bool:
        """Whether the set's files are in the folder."""

    def load(self, name: str, folder: Path | None = None) -> Any:
        """Read a set."""


class Unreadable(Exception):  # noqa: N818
    """A public data set is there but damaged; the simulation must not take its place unnoticed."""


class Shelf:
    """Data sets, each loaded or simulated once.

    Args:
        folder: where public sets lie; `None` leaves the choice to the reader.
        reader: :mod:`neurons.data` by default, imported only when a claim names a public set.
    """

    def __init__(self, folder: Path | None = None, reader: Reader | None = None) -> None:
        self._folder = folder
        self._reader = reader
        self._real: dict[str, Any] = {}
        self._simulated: dict[tuple[str | None, Callable[[], Any]], Any] = {}

    def load(self, claims: Iterable[Claim]) -> None:
        """Read every public set that the claims name and the folder has.

        Raises:
            Unreadable: for a set that is there but damaged.
        """
        for name in dict.fromkeys(claim.data for claim in claims if claim.data):
            if name in self._real:
                continue
            reader = self._reader or importlib.import_module("neurons.data")
            try:
                if reader.available(name, self._folder):
                    self._real[name] = reader.load(name, self._folder)
            except reader.DataError as problem:
                raise Unreadable(f"{name}: {problem}") from problem

    def get(self, claim: Claim) -> tuple[Any, str]:
        """The data of a claim, and whether it is "real", "simulated" or "none".

        A public set may say of itself that it is simulated where its real part is but shown.
        """
        if claim.data in self._real:
            found = self._real[claim.data]
            return found, "simulated" if getattr(found, "simulated", False) else "real"
        source = (claim.data, claim.simulate)
        if source not in self._simulated:
            self._simulated[source] = claim.simulate()
        data = self._simulated[source]
        simulated = claim.data or getattr(data, "simulated", False)
        return data, "simulated" if simulated else "none"


def digest(data: Any) -> str:
    """What distinguishes one data set from another: its own `digest`, or a hash of its text.

    Raises:
        TypeError: for an object without either, whose text is its address in memory.
    """
    own = getattr(data, "digest", None)
    if isinstance(own, str):
        return own
    kind = type(data)
    if kind.__str__ is object.__str__ and kind.__repr__ is object.__repr__:
        raise TypeError(f"data of type {kind.__name__} needs `digest: str` or a __str__ of its own")
    return hashlib.sha256(str(data).encode()).hexdigest()
