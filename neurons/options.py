"""Checks of the numbers that shape a neuron."""

from collections.abc import Sequence


def require(label: str, value: int, least: int = 1) -> None:
    """Refuse a size below `least`.

    Raises:
        ValueError: naming the option, the value and what is allowed.
    """
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ValueError(f"{label} must be a whole number of at least {least}, got {value!r}")


def distinct(label: str, values: Sequence[int], least: int = 1) -> tuple[int, ...]:
    """A non-empty sequence of different whole numbers of at least `least`.

    Raises:
        ValueError: naming the option, the values and what is allowed.
    """
    found = tuple(values)
    for value in found:
        require(label, value, least)
    if not found or len(set(found)) < len(found):
        raise ValueError(f"{label} needs different whole numbers, at least one, got {found!r}")
    return found
