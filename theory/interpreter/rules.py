"""A classifier as a short list of rules: the space divided anew by its decision boundary.

A ReLU network has far more linear regions than its boundary needs. Here the space is cut only by
hyperplanes that carry pieces of the boundary, the one that tells most first, until every cell
holds one label often enough: the idea of DecisionNet.
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from theory.interpreter.wording import terms
from theory.regions.network import PiecewiseAffine
from theory.regions.polytope import Polytope

_CANDIDATES = 256
_MOST_RULES = 2000


@dataclass(frozen=True)
class Rule:
    """All points of a polytope have one label.

    Args:
        polytope: where.
        label: name of the class.
        coverage: share of the points that the rules were made from.
        purity: share of those that the network gives this label.
        scale: `(in_features,)` standard deviation by feature.
        features: names.
    """

    polytope: Polytope
    label: Any
    coverage: float
    purity: float
    scale: Float[np.ndarray, " in_features"]
    features: tuple[str, ...]

    def __str__(self) -> str:
        sides = [
            f"{terms(normal, self.scale, self.features)} <= {offset:.4g}"
            for normal, offset in zip(self.polytope.normals, self.polytope.offsets, strict=True)
        ]
        return f"{self.label} if {' and '.join(sides) or 'anything'} ({self.coverage:.1%})"


@dataclass(frozen=True)
class Rules(Sequence[Rule]):
    """Rules whose polytopes divide the space: every point fulfils exactly one.

    Args:
        rules: the most frequent first.
        fidelity: share of held-out points that get the network's label.
        linear_regions: activation regions of the network that hold one of the points the rules
            were made from; what the rules compress.
        numbers: of the label of each rule, among all classes.
    """

    rules: tuple[Rule, ...]
    fidelity: float
    linear_regions: int
    numbers: Int[np.ndarray, " rules"]

    def __len__(self) -> int:
        return len(self.rules)

    def __getitem__(self, index):  # type: ignore[no-untyped-def]
        """The rule of that number, or some of them for a slice."""
        return self.rules[index]

    @property
    def compression(self) -> float:
        """Linear regions per rule."""
        return self.linear_regions / len(self.rules)

    def __call__(self, x: Float[np.ndarray, "points in_features"]) -> np.ndarray:
        """Labels at `x`."""
        slack = np.stack(
            [
                (r.polytope.offsets - x @ r.polytope.normals.T).min(axis=1, initial=np.inf)
                for r in self.rules
            ],
            axis=1,
        )
        names = np.array([rule.label for rule in self.rules])
        return names[slack.argmax(axis=1)]

    def __str__(self) -> str:
        return "\n".join(str(rule) for rule in self.rules)


@dataclass(frozen=True)
class Planes:
    """Hyperplanes normal.x = offset, in the user's units."""

    normals: Float[np.ndarray, "planes in_features"]
    offsets: Float[np.ndarray, " planes"]

    def sides(self, x: np.ndarray) -> Bool[np.ndarray, "points planes"]:
        """Whether normal.x <= offset."""
        return x @ self.normals.T <= self.offsets

    def polytope(self, sides: tuple[tuple[int, bool], ...]) -> Polytope:
        """Where all of the sides (plane, whether at or below) are."""
        planes = [plane for plane, _ in sides]
        signs = np.array([1.0 if below else -1.0 for _, below in sides])
        return Polytope(signs[:, None] * self.normals[planes], signs * self.offsets[planes])


def rules(
    network: PiecewiseAffine,
    x: Float[np.ndarray, "points in_features"],
    judged: Float[np.ndarray, "held_out in_features"],
    classes: np.ndarray,
    scale: Float[np.ndarray, " in_features"],
    features: tuple[str, ...],
    fidelity: float,
    random: np.random.Generator,
) -> Rules:
    """Compress a network's decisions.

    Args:
        network: what is compressed.
        x: points to make the rules from.
        judged: held-out points.
        classes: names.
        scale: standard deviation by feature.
        features: names.
        fidelity: share of `judged` that must get the network's label.
        random: generator.
    """
    planes = boundary_planes(network, x, scale, random)
    labels, truth = network(x).argmax(axis=1), network(judged).argmax(axis=1)
    cells, reached = grow(planes, x, labels, judged, truth, fidelity)
    cells.sort(key=lambda cell: -cell.points.size)
    numbers = np.array([_label(cell, labels) for cell in cells])
    made = tuple(
        Rule(
            planes.polytope(cell.sides),
            classes[number],
            cell.points.size / len(x),
            float((labels[cell.points] == number).mean()),
            scale,
            features,
        )
        for cell, number in zip(cells, numbers, strict=True)
    )
    return Rules(made, reached, len(np.unique(network.pattern(x), axis=0)), numbers)


def boundary_planes(
    network: PiecewiseAffine,
    x: Float[np.ndarray, "points in_features"],
    scale: Float[np.ndarray, " in_features"],
    random: np.random.Generator,
) -> Planes:
    """Hyperplanes that carry the boundary nearest to points: of the two leading classes each.

    Points close to the boundary come first (in standard deviations); several of one region and
    one pair of classes count once. At most 256 are kept, at random.
    """
    weights, biases = network.local(x)
    order = np.argsort(np.einsum("poi,pi->po", weights, x) + biases, axis=1)
    rows = np.arange(len(x))
    first, second = order[:, -1], order[:, -2]
    normals = weights[rows, first] - weights[rows, second]
    offsets = biases[rows, second] - biases[rows, first]
    lengths = np.linalg.norm(normals * scale, axis=1)
    margins = (normals * x).sum(axis=1) - offsets
    near = np.argsort(np.where(lengths > 0, margins / np.where(lengths > 0, lengths, 1.0), np.inf))
    near = near[: max(len(x) // 4, 1)]
    near = near[lengths[near] > 0]
    normals, offsets = normals[near] / lengths[near, None], offsets[near] / lengths[near]
    # The side of a pair of classes is no matter: one orientation for both.
    turned = np.where(first[near] > second[near], 1.0, -1.0)
    _, kept = np.unique(np.round(turned[:, None] * normals * scale, 6), axis=0, return_index=True)
    kept = np.sort(random.permutation(kept)[:_CANDIDATES])
    return Planes(normals[kept], offsets[kept])


@dataclass
class _Cell:
    """Points of a growing cell, its label, and the sides it lies on."""

    points: Int[np.ndarray, " points"]
    held_out: Int[np.ndarray, " held_out"]
    sides: tuple[tuple[int, bool], ...]


def grow(
    planes: Planes,
    x: Float[np.ndarray, "points in_features"],
    labels: Int[np.ndarray, " points"],
    judged: Float[np.ndarray, "held_out in_features"],
    truth: Int[np.ndarray, " held_out"],
    fidelity: float,
) -> tuple[list["_Cell"], float]:
    """Cut cells by the plane that tells most, until held-out points get the right label.

    If they never do often enough, the cuts up to the best share are kept.

    Args:
        planes: candidates.
        x: points to grow on.
        labels: their labels, numbers of classes.
        judged: held-out points.
        truth: their labels.
        fidelity: share of `judged` to get right.

    Returns:
        The cells, and the fidelity that was reached.
    """
    sides, judged_sides = planes.sides(x), planes.sides(judged)
    hot = np.eye(int(labels.max()) + 1, dtype=np.float32)[labels]
    root = _Cell(np.arange(len(x)), np.arange(len(judged)), ())
    done: list[_Cell] = []
    number = 0
    queue = [(*_best(root, sides, hot), number, root)]
    right = most = int((truth == _label(root, labels)).sum())
    while queue and right < fidelity * len(judged) and len(queue) + len(done) < _MOST_RULES:
        gain, plane, _, cell = heapq.heappop(queue)
        if gain >= 0:  # nothing tells the rest of this cell apart
            done.append(cell)
            continue
        right -= int((truth[cell.held_out] == _label(cell, labels)).sum())
        for side in (True, False):
            part = _part(cell, plane, side, sides, judged_sides)
            right += int((truth[part.held_out] == _label(part, labels)).sum())
            number += 1
            heapq.heappush(queue, (*_best(part, sides, hot), number, part))
        most = max(most, right)
    if right < most:  # the last cuts told samples apart and nothing else: stop before them
        return grow(planes, x, labels, judged, truth, most / len(judged))
    return _merged([*done, *(cell for *_, cell in queue)], labels), right / len(judged)


def _merged(cells: list[_Cell], labels: np.ndarray) -> list[_Cell]:
    """Both halves of a cell become one again if they share a label."""
    known = {cell.sides: cell for cell in cells}
    for sides in sorted(known, key=len, reverse=True):
        while sides in known and sides:
            plane, side = sides[-1]
            twin = (*sides[:-1], (plane, not side))
            if twin not in known or _label(known[sides], labels) != _label(known[twin], labels):
                break
            first, second = known.pop(sides), known.pop(twin)
            sides = sides[:-1]
            known[sides] = _Cell(
                np.concatenate([first.points, second.points]),
                np.concatenate([first.held_out, second.held_out]),
                sides,
            )
    return list(known.values())


def _label(cell: _Cell, labels: np.ndarray) -> int:
    return int(np.bincount(labels[cell.points]).argmax())


def _part(
    cell: _Cell, plane: int, side: bool, sides: np.ndarray, judged_sides: np.ndarray
) -> _Cell:
    return _Cell(
        cell.points[sides[cell.points, plane] == side],
        cell.held_out[judged_sides[cell.held_out, plane] == side],
        (*cell.sides, (plane, side)),
    )


def _best(cell: _Cell, sides: np.ndarray, hot: np.ndarray) -> tuple[float, int]:
    """Minus the impurity that the best plane takes away, in points, and that plane."""
    own = hot[cell.points]
    whole = own.sum(axis=0)
    if np.count_nonzero(whole) < 2 or sides.shape[1] == 0:
        return 0.0, 0
    below = own.T @ sides[cell.points].astype(np.float32)
    left = _impurity(below) + _impurity(whole[:, None] - below)
    plane = int(left.argmin())
    gain = float(_impurity(whole[:, None])[0] - left[plane])
    return (-gain if gain > 1e-3 else 0.0), plane


def _impurity(counts: Float[np.ndarray, "classes planes"]) -> Float[np.ndarray, " planes"]:
    """Entropy times points, of every column."""
    total = counts.sum(axis=0)
    shares = counts / np.maximum(total, 1)
    return -(counts * np.log(np.maximum(shares, 1e-12))).sum(axis=0)
