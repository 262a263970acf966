"""Triangle meshes: read from OFF and PLY files, however malformed their headers, and sampled."""

import gzip
import zlib
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neurons.data.ply import parse_ply
from neurons.data.registry import DataError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
AGAIN = "fetch the file again"


@dataclass(frozen=True, eq=False)
class Mesh:
    """A surface of triangles.

    Args:
        vertices: `(vertices, 3)` float64, in the file's unit of length.
        faces: `(faces, 3)` int64 places in `vertices`.

    Raises:
        ValueError: For other shapes, coordinates that are not finite, or a corner that is no
            vertex.
    """

    vertices: Floats
    faces: Ints

    def __post_init__(self) -> None:
        shapes = self.vertices.shape, self.faces.shape
        if any(len(shape) != 2 or shape[1] != 3 for shape in shapes):
            raise ValueError(f"vertices and faces must have three columns, got {shapes}")
        if not np.isfinite(self.vertices).all():
            row = int(np.argmin(np.isfinite(self.vertices).all(axis=1)))
            raise ValueError(f"finite coordinates; vertex {row} has others")
        if self.faces.size and not 0 <= self.faces.min() <= self.faces.max() < len(self.vertices):
            low, high = self.faces.min(), self.faces.max()
            raise ValueError(f"corners in [0, {len(self.vertices)}); {low} to {high}")

    @property
    def areas(self) -> Floats:
        """Area of every triangle, `(faces,)`, in square units of length."""
        a, b, c = np.moveaxis(self.vertices[self.faces], 1, 0)
        twice: Floats = np.linalg.norm(np.cross(b - a, c - a), axis=1)
        return twice / 2


def sample_surface(mesh: Mesh, points: int, seed: int = 0) -> Floats:
    """Points spread over a mesh uniformly by area.

    A triangle is drawn with probability proportional to its area, a place in it as
    `a + sqrt(u) (b - a) + sqrt(u) v (c - b)` with `u, v ~ U(0, 1)`.

    Args:
        mesh: The surface.
        points: How many, at least 1.
        seed: Seed of everything random.

    Returns:
        `(points, 3)` in the mesh's unit of length.

    Raises:
        ValueError: For no points, or a mesh without area.

    References:
        R. Osada, T. Funkhouser, B. Chazelle, D. Dobkin, Shape distributions, ACM Transactions on
        Graphics 21 (2002), section 4.1.

    Example:
        >>> triangle = Mesh(np.eye(3), np.array([[0, 1, 2]]))
        >>> bool(np.allclose(sample_surface(triangle, 5).sum(axis=1), 1))
        True
    """
    if points < 1:
        raise ValueError(f"points is {points}; allowed: 1 and more")
    total = np.cumsum(mesh.areas)
    if not total.size or not total[-1] > 0:
        raise ValueError(f"a mesh of {len(mesh.faces)} triangles has no area to sample")
    random = np.random.default_rng(seed)
    places = np.searchsorted(total, random.random(points) * total[-1], side="right")
    a, b, c = np.moveaxis(mesh.vertices[mesh.faces[places]], 1, 0)
    root, v = np.sqrt(random.random((points, 1))), random.random((points, 1))
    return np.asarray(a + root * (b - a) + root * v * (c - b))


def read_mesh(path: str | Path) -> Mesh:
    """Read an OFF or PLY file, plain or compressed by gzip; its first bytes say which.

    Polygons of more than three corners are cut into triangles around their first corner, which
    is right for convex ones. Faces of one or two corners have no area and are left out.

    OFF headers as ModelNet has them are understood: counts on the line of the word `OFF`, with or
    without a space between, comments, blank lines, more numbers a line than needed. PLY files may
    be ascii, binary little-endian or binary big-endian.

    Args:
        path: The file.

    Raises:
        DataError: It cannot be read or is no mesh, or its counts are wrong.

    References:
        Z. Wu et al., 3D ShapeNets, CVPR 2015 (ModelNet).
        G. Turk, The PLY polygon file format, 1994.
    """
    content = _content(path)
    try:
        vertices, polygons = parse_ply(content) if content[:3] == b"ply" else parse_off(content)
        return Mesh(vertices, _triangles(polygons))
    except ValueError as problem:
        expected, _, found = str(problem).rpartition("; ")
        raise DataError(path, expected or "a mesh", found, AGAIN) from problem


def parse_off(content: bytes) -> tuple[Floats, list[list[int]]]:
    """Vertices and polygons of an OFF file.

    Raises:
        ValueError: With "expected; found" as its text.
    """
    text = content.decode("latin-1").splitlines()
    lines = [words for line in text if (words := line.split("#")[0].split())]
    if not lines or not lines[0][0].startswith("OFF"):
        first = " ".join(lines[0])[:40] if lines else "nothing"
        raise ValueError(f"the word OFF first; {first!r}")
    counts = [word for word in (lines[0][0][3:], *lines[0][1:]) if word]
    body = lines[1:]
    if not counts:
        counts, body = (body[0], body[1:]) if body else ([], [])
    vertices, faces = _counts(counts)
    if len(body) != vertices + faces:
        raise ValueError(f"{vertices} vertices and {faces} faces; {len(body)} lines")
    return _vertices(body[:vertices]), [_polygon(words) for words in body[vertices:]]


def _counts(words: list[str]) -> tuple[int, int]:
    try:
        vertices, faces = (int(word) for word in words[:2])
    except ValueError:
        raise ValueError(f"numbers of vertices and faces; {' '.join(words)!r}") from None
    if min(vertices, faces) < 0:
        raise ValueError(f"numbers of vertices and faces; {vertices} and {faces}")
    return vertices, faces


def _vertices(lines: list[list[str]]) -> Floats:
    short = next((line for line in lines if len(line) < 3), None)
    if short is not None:
        raise ValueError(f"three coordinates; {' '.join(short)!r}")
    try:
        return np.array([line[:3] for line in lines], dtype=np.float64).reshape(-1, 3)
    except ValueError as problem:
        raise ValueError(f"coordinates; {problem}") from None


def _polygon(words: list[str]) -> list[int]:
    """Corners of a face; colours may follow them."""
    try:
        count = int(words[0])
        corners = [int(word) for word in words[1 : 1 + count]]
    except ValueError:
        raise ValueError(f"a face of whole numbers; {' '.join(words)!r}") from None
    if count < 1 or len(corners) < count:
        raise ValueError(f"a face of {count} corners; {' '.join(words)!r}")
    return corners


def _triangles(polygons: list[list[int]]) -> Ints:
    fans = [(face[0], *edge) for face in polygons for edge in pairwise(face[1:])]
    return np.array(fans, dtype=np.int64).reshape(-1, 3)


def _content(path: str | Path) -> bytes:
    try:
        content = Path(path).read_bytes()
        return gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
    except (OSError, EOFError, zlib.error) as problem:
        raise DataError(path, "a readable file", str(problem), AGAIN) from problem
