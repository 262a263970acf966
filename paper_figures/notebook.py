"""One claim's way to the evidence store: names become keys, seconds add up."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Any

from paper_figures.store import Entry, Key, Store


@dataclass
class _Frame:
    """A computation under way: its parts, and the wall-clock time that went into fetching them."""

    parts: dict[str, float] = field(default_factory=dict)
    elsewhere: float = 0.0


class Notebook:
    """What a claim recalls and what it keeps.

    For one thread. Nested calls are allowed: every second counts once.

    Args:
        store: where entries live.
        context: the key without kind and name.
        under_way: is told the name of each partial result that is about to be computed.
    """

    def __init__(
        self,
        store: Store,
        context: Key,
        under_way: Callable[[str], None] = lambda name: None,
    ) -> None:
        self._store = store
        self._context = context
        self._under_way = under_way
        self._frames: list[_Frame] = []

    def recall(self, name: str, compute: Callable[[], Any]) -> Any:
        """A partial result: recalled if the store has it, computed and kept otherwise."""
        start = perf_counter()
        key = replace(self._context, kind="part", name=name)
        entry = self._store.read(key)
        if entry is None:
            self._under_way(name)
            entry = self._store.write(key, self._timed(compute))
        if self._frames:
            frame = self._frames[-1]
            frame.parts |= {name: entry.seconds, **entry.parts}
            frame.elsewhere += perf_counter() - start
        return entry.value

    def claim(
        self, name: str, compute: Callable[[], Any], accept: Callable[[Any], object]
    ) -> tuple[Entry, bool]:
        """A verdict: recalled if the store has it, computed and kept otherwise.

        Args:
            name: the claim's name.
            compute: makes the verdict's JSON.
            accept: raises KeyError, TypeError or ValueError for JSON that is no verdict.

        Returns:
            The entry, and whether it was recalled.
        """
        key = replace(self._context, kind="claim", name=name)
        entry = self._store.read(key)
        if entry is not None and self._acceptable(key, entry, accept):
            return entry, True
        return self._store.write(key, self._timed(compute)), False

    def known(
        self, name: str, accept: Callable[[Any], object]
    ) -> tuple[Entry, bool] | tuple[None, bool]:
        """A verdict that the store has, and whether other code or libraries reached it.

        Args:
            name: the claim's name.
            accept: as for :meth:`claim`.
        """
        key = replace(self._context, kind="claim", name=name)
        entry = self._store.read(key)
        if entry is not None and self._acceptable(key, entry, accept):
            return entry, False
        for older in self._store.alike(key):
            if self._acceptable(key, older, accept):
                return older, True
        return None, False

    def _acceptable(self, key: Key, entry: Entry, accept: Callable[[Any], object]) -> bool:
        try:
            accept(entry.value)
        except (AttributeError, KeyError, TypeError, ValueError) as problem:
            self._store.say(f"{self._store.folder / key.file}: no verdict ({problem!r}); again")
            return False
        return True

    def _timed(self, compute: Callable[[], Any]) -> Entry:
        self._frames.append(_Frame())
        start = perf_counter()
        try:
            value = compute()
        finally:
            frame = self._frames.pop()
        own = perf_counter() - start - frame.elsewhere
        return Entry(value, max(own, 0.0), frame.parts)
