"""All neurons, as a table to read and to run over."""

import difflib
from collections.abc import Iterable, Iterator, Mapping

from neurons import edges, kernel, polynomial, quadratic
from neurons.neuron import Neuron

_HEAD = ("neuron", "formula", "parameters", "multiplications", "starts as", "reference")


class Catalogue(Mapping[str, Neuron]):
    """Neurons by name; printed, a table with one row each.

    Args:
        neurons: with different names.

    Raises:
        ValueError: for two neurons of one name.
        KeyError: on look-up of an unknown name, with the closest known ones.
    """

    def __init__(self, neurons: Iterable[Neuron]) -> None:
        listed = list(neurons)
        self._named = {neuron.name: neuron for neuron in listed}
        if len(self._named) < len(listed):
            names = [neuron.name for neuron in listed]
            raise ValueError(
                f"names must differ, got {sorted({n for n in names if names.count(n) > 1})}"
            )

    def __getitem__(self, name: str) -> Neuron:
        if name not in self._named:
            close = difflib.get_close_matches(name, self._named, cutoff=0.4) or sorted(self._named)
            raise KeyError(f"no neuron {name!r}; known are, among others, {', '.join(close)}")
        return self._named[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._named)

    def __len__(self) -> int:
        return len(self._named)

    def rows(self) -> list[tuple[str, ...]]:
        """Name, formula, parameters and multiplications per neuron, start, reference."""
        return [
            (n.name, n.formula, n.size, n.work, n.degenerate or "", n.reference)
            for n in self.values()
        ]

    def __str__(self) -> str:
        rows = [_HEAD, *self.rows()]
        widths = [max(len(row[i]) for row in rows) for i in range(len(_HEAD))]
        lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
        return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])

    def __repr__(self) -> str:
        return f"<{len(self)} neurons: {', '.join(self)}>"

    def _repr_markdown_(self) -> str:
        """The table, for notebooks."""
        lines = [_HEAD, ("---",) * len(_HEAD), *self.rows()]
        return "\n".join(
            "| " + " | ".join(c.replace("|", "\\|") for c in row) + " |" for row in lines
        )


def catalogue() -> Catalogue:
    """Every neuron of the library, forms with options at their defaults.

    Costs are per neuron with n inputs; where weights are shared, in a layer of m neurons.

    Example:
        >>> catalogue()["quadratic"].size
        '3n + 3'
    """
    rooms = (quadratic, kernel, edges, polynomial)
    return Catalogue(neuron for room in rooms for neuron in room.FAMILY)
