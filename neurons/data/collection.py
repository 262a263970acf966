"""Several named parts of one kind under one name."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, Protocol, TypeVar


class Member(Protocol):
    """What a part has to tell of itself."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def digest(self) -> str:
        """What distinguishes its contents from others."""


M = TypeVar("M", bound=Member)


@dataclass(frozen=True, eq=False)
class Collection(Generic[M]):
    """Several tables under one name.

    Args:
        name: Name of the collection.
        tables: The tables, no name twice.
        simulated: Whether formulas made them.

    Raises:
        ValueError: For no table, or a name twice.
    """

    name: str
    tables: tuple[M, ...]
    simulated: bool

    def __post_init__(self) -> None:
        if not self.names or len(set(self.names)) < len(self.names):
            allowed = "at least one, no name twice"
            raise ValueError(f"{self.name}: tables {list(self.names)}; allowed: {allowed}")

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the tables, in their order."""
        return tuple(table.name for table in self.tables)

    def __getitem__(self, name: str) -> M:
        """The table of that name.

        Raises:
            KeyError: For a name that is not there.
        """
        return {table.name: table for table in self.tables}[name]

    def __str__(self) -> str:
        kind = "simulated" if self.simulated else "real"
        return f"{self.name}: {', '.join(self.names)} ({kind})"

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the tables' digests."""
        lines = "".join(f"{table.digest}\n" for table in self.tables)
        return hashlib.sha256(f"{self.name}\n{lines}".encode()).hexdigest()
