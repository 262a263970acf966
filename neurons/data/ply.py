"""The PLY format: elements of named properties, as text or as bytes of either order."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SCALARS = {
    "char": "i1", "int8": "i1", "uchar": "u1", "uint8": "u1", "short": "i2", "int16": "i2",
    "ushort": "u2", "uint16": "u2", "int": "i4", "int32": "i4", "uint": "u4", "uint32": "u4",
    "float": "f4", "float32": "f4", "double": "f8", "float64": "f8",
}  # fmt: skip
ORDERS = {"ascii": "", "binary_little_endian": "<", "binary_big_endian": ">"}
CORNERS = ("vertex_indices", "vertex_index")


class Property(NamedTuple):
    """A property of an element: the type of its values and, for a list, of its length."""

    name: str
    kind: str
    length: str | None


class Element(NamedTuple):
    """An element of the header: how many rows follow, and of what."""

    name: str
    rows: int
    properties: list[Property]

    def place(self, *names: str) -> int:
        """Where the property of one of these names stands."""
        for place, property in enumerate(self.properties):
            if property.name in names:
                return place
        present = ", ".join(property.name for property in self.properties)
        raise ValueError(f"{self.name} with {' or '.join(names)}; {present or 'no property'}")


def parse_ply(content: bytes) -> tuple[NDArray[np.float64], list[list[int]]]:
    """Vertices `(vertices, 3)` and polygons of a PLY file; other elements are skipped.

    Raises:
        ValueError: With "expected; found" as its text.
    """
    order, elements, body = _header(content)
    rows = _words(body) if order == "" else None
    found: dict[str, list[list]] = {}
    offset = 0
    for element in elements:
        if rows is not None:
            found[element.name] = [_row_of(next(rows, []), element) for _ in range(element.rows)]
        else:
            found[element.name], offset = _binary(body, offset, element, order)
    left = len(list(rows)) if rows is not None else len(body) - offset
    if left:
        raise ValueError(f"nothing after the last element; {left} {'bytes' if order else 'lines'}")
    return _mesh({element.name: element for element in elements}, found)


def _mesh(
    elements: dict[str, Element], found: dict[str, list[list]]
) -> tuple[NDArray[np.float64], list[list[int]]]:
    missing = {"vertex", "face"} - set(elements)
    if missing:
        raise ValueError(f"elements vertex and face; {', '.join(elements) or 'none'}")
    axes = [elements["vertex"].place(axis) for axis in "xyz"]
    vertices = [[row[place] for place in axes] for row in found["vertex"]]
    corners = elements["face"].place(*CORNERS)
    if elements["face"].properties[corners].length is None:
        raise ValueError("a list of corners; a single number")
    polygons = [[int(corner) for corner in row[corners]] for row in found["face"]]
    return np.array(vertices, dtype=np.float64).reshape(-1, 3), polygons


def _header(content: bytes) -> tuple[str, list[Element], bytes]:
    """Byte order, elements, and what follows the header."""
    head, mark, body = content.partition(b"end_header")
    if not mark:
        raise ValueError("a header that ends with end_header; none")
    # The line ends after \n, \r\n or a lone \r; binary data begin with the very next byte.
    body = body[2:] if body[:2] == b"\r\n" else body[1:]
    order, elements = None, []
    for line in head.decode("latin-1").splitlines()[1:]:
        match line.split():
            case [] | ["comment" | "obj_info", *_]:
                continue
            case ["format", word, _] if word in ORDERS:
                order = ORDERS[word]
            case ["element", name, count] if count.isdigit():
                elements.append(Element(name, int(count), []))
            case ["property", *words] if elements:
                elements[-1].properties.append(_property(words))
            case _:
                raise ValueError(f"a line of a PLY header; {line[:60]!r}")
    if order is None:
        raise ValueError(f"a format among {', '.join(ORDERS)}; none")
    return order, elements, body


def _property(words: list[str]) -> Property:
    match words:
        case ["list", length, kind, name] if length in SCALARS and kind in SCALARS:
            return Property(name, SCALARS[kind], SCALARS[length])
        case [kind, name] if kind in SCALARS:
            return Property(name, SCALARS[kind], None)
    raise ValueError(f"a property of known type; {' '.join(words)[:60]!r}")


def _words(body: bytes) -> Iterator[list[str]]:
    return (words for line in body.decode("latin-1").splitlines() if (words := line.split()))


def _row_of(words: list[str], element: Element) -> list:
    """The values of one line of text."""
    row: list = []
    rest = iter(words)
    try:
        for property in element.properties:
            read = float if property.kind.startswith("f") else int
            if property.length is None:
                row.append(read(next(rest)))
            else:
                row.append([read(next(rest)) for _ in range(int(next(rest)))])
    except (StopIteration, RuntimeError, ValueError):
        found = " ".join(words)[:60] if words else "the end of the file"
        raise ValueError(f"{element.rows} rows of {element.name}; {found!r}") from None
    return row


def _binary(body: bytes, offset: int, element: Element, order: str) -> tuple[list[list], int]:
    """The rows of an element from `offset` on, and where they end."""
    if all(property.length is None for property in element.properties):
        row = np.dtype([(f"{i}", order + p.kind) for i, p in enumerate(element.properties)])
        values = _numbers(body, offset, row, element.rows, element)
        return [list(value) for value in values.tolist()], offset + element.rows * row.itemsize
    rows = []
    for _ in range(element.rows):
        row_values: list = []
        for property in element.properties:
            count = 1
            if property.length is not None:
                length = np.dtype(order + property.length)
                count = int(_numbers(body, offset, length, 1, element)[0])
                offset += length.itemsize
            kind = np.dtype(order + property.kind)
            values = _numbers(body, offset, kind, count, element).tolist()
            offset += count * kind.itemsize
            row_values.append(values[0] if property.length is None else values)
        rows.append(row_values)
    return rows, offset


def _numbers(body: bytes, offset: int, kind: np.dtype, count: int, element: Element) -> NDArray:
    if count < 0 or offset + count * kind.itemsize > len(body):
        raise ValueError(f"{element.rows} rows of {element.name}; a file that ends before")
    return np.frombuffer(body, kind, count, offset)
