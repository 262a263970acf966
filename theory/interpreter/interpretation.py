"""The interpreter: an explicit network in the place of a black box, and what can be read off it."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jax
import numpy as np
from jax import Array
from jaxtyping import Float
from numpy.typing import ArrayLike

from theory.interpreter import rules as compression
from theory.interpreter.black_box import BlackBox
from theory.interpreter.explanation import Explanation
from theory.interpreter.rules import Rules
from theory.interpreter.sampling import Place, generator, like_held_out
from theory.interpreter.surrogate import Neighbourhood, neighbourhood, weighted_r2
from theory.regions import Boundary, PiecewiseAffine, Regions, boundary, regions
from theory.regions.polytope import from_box
from theory.regions.polytopes import Polytopes

_RULE_POINTS = 30_000


@dataclass(frozen=True, eq=False)
class Interpretation:
    """A piecewise affine network that stands in for a black box; made by :func:`interpret`.

    Args:
        network: explicit: finitely many polytopes, an affine map on each, in the user's units.
        black_box: what it stands in for.
        place: domain, units, data.
        samples: `(points, in_features)` where the black box was asked for training.
        held_out: `(points, in_features)` where the interpreter is judged: rows of the data that
            training never saw, moved by normal noise of 0.1 standard deviations; without data
            uniform points of the domain.
        losses: `(steps,)` of the training.
        features: names of the inputs.
        key: what randomness there is left comes from it.
    """

    network: PiecewiseAffine
    black_box: BlackBox
    place: Place
    samples: Float[np.ndarray, "points in_features"]
    held_out: Float[np.ndarray, "held_points in_features"]
    losses: Float[np.ndarray, " steps"]
    features: tuple[str, ...]
    key: Array

    @property
    def classes(self) -> np.ndarray:
        """Names of the classes; none for a regression."""
        return self.black_box.classes

    def __call__(self, x: ArrayLike) -> np.ndarray:
        """Names of the classes, or values, at `x` `(points, in_features)`."""
        outputs = self.network(x)
        if self.black_box.task == "regression":
            return outputs[:, 0]
        return self.classes[outputs.argmax(axis=1)]

    def responses(self, x: ArrayLike) -> Float[np.ndarray, "points outputs"]:
        """What the black box would answer: probabilities, scores, indicators of labels, values."""
        outputs = self.network(x)
        if self.black_box.kind == "probabilities":
            raised = np.exp(outputs - outputs.max(axis=1, keepdims=True))
            return raised / raised.sum(axis=1, keepdims=True)
        if self.black_box.kind == "labels":
            return np.eye(outputs.shape[1])[outputs.argmax(axis=1)]
        return outputs

    @cached_property
    def fidelity(self) -> float:
        """Share of equal labels, or R^2, on the jittered held-out points."""
        return self.agreement(self.held_out)

    @property
    def data_fidelity(self) -> float:
        """Share of equal labels, or R^2, on the held-out rows of the data as they are.

        Raises:
            ValueError: if there was no data.
        """
        if len(self.place.held_out) == 0:
            raise ValueError("this interpretation was made from a domain, there is no data")
        return self.agreement(self.place.held_out)

    def agreement(self, x: ArrayLike) -> float:
        """Share of equal labels, or R^2, at `x` `(points, in_features)`."""
        points = self.network.points(x)
        if self.black_box.task == "classification":
            labels = self.network(points).argmax(axis=1)
            return float((labels == self.black_box.labels(points)).mean())
        truth = self.black_box.responses(points)[:, 0]
        return weighted_r2(truth, self.network(points)[:, 0], np.ones(len(points)))

    def explain(self, x: ArrayLike, label: Any = None, other: Any = None) -> Explanation:
        """The exact affine function around the point `x` `(in_features,)`.

        Args:
            x: the point.
            label: class to explain; by default the interpreter's own.
            other: class to hold it against; by default the strongest of the others.

        Raises:
            ValueError: for a point of another shape, a class that does not exist, or a class
                asked of a regression.
        """
        point = self._point(x)
        weights, biases = (part[0] for part in self.network.local(point[None]))
        if self.black_box.task == "regression":
            if label is not None or other is not None:
                raise ValueError("a regression has no classes: leave label and other out")
            names, row, bias = (None, None), weights[0], biases[0]
        else:
            first, second = self._pair(weights @ point + biases, label, other)
            names = (self.classes[first], self.classes[second])
            row, bias = weights[first] - weights[second], biases[first] - biases[second]
        polytope = self.network.polytope(point)
        return Explanation(
            point, *names, row, float(bias), polytope, self.place.scale, self.features
        )

    def _point(self, x: ArrayLike) -> np.ndarray:
        point = np.asarray(x, np.float64)
        if point.shape != (self.network.in_features,):
            raise ValueError(f"x must be ({self.network.in_features},), got shape {point.shape}")
        if not np.isfinite(point).all():
            raise ValueError(f"x must be finite, got {point.tolist()}")
        return point

    def _pair(self, outputs: np.ndarray, label: Any, other: Any) -> tuple[int, int]:
        order = np.argsort(-outputs, kind="stable").tolist()
        first = order[0] if label is None else self._number(label)
        if other is None:
            return first, next(i for i in order if i != first)
        if self._number(other) == first:
            raise ValueError(f"{other!r} cannot be held against itself")
        return first, self._number(other)

    def _number(self, name: Any) -> int:
        found = np.flatnonzero(self.classes == name)
        if found.size != 1:
            raise ValueError(f"no class {name!r}; there are {self.classes.tolist()}")
        return int(found[0])

    def local_fidelity(self, x: ArrayLike, *, samples: int = 1000) -> Float[np.ndarray, " points"]:
        """How well the network follows the black box around points: R^2 under LIME's kernel.

        The response is the probability, score or indicator of the class that the black box gives
        the point, or the value. Neighbours are x + N(0, scale^2), moved into the domain, weighed
        by exp(-D^2 / s^2), s = 0.75 sqrt(in_features).

        Args:
            x: `(points, in_features)`.
            samples: neighbours of each.

        Returns:
            R^2 by point; NaN where the black box is constant around a point.
        """
        points = self.network.points(x)
        random = generator(jax.random.fold_in(self.key, 2))
        near = [self.around(point, samples, random) for point in points]
        truth = self.black_box.responses(np.concatenate([each.points for each in near]))
        found = []
        for number, column in enumerate(self.response_columns(points)):
            rows = slice(number * samples, (number + 1) * samples)
            guess = self.responses(near[number].points)[:, column]
            found.append(weighted_r2(truth[rows, column], guess, near[number].weights))
        return np.array(found)

    def around(self, x: np.ndarray, samples: int, random: np.random.Generator) -> Neighbourhood:
        """The neighbourhood of a point that local explanations are about."""
        return neighbourhood(x, self.place.scale, self.place.box, samples, random)

    def response_columns(self, points: np.ndarray) -> np.ndarray:
        """Which response speaks for each point: that of the black box's own label there.

        Raises:
            ValueError: where the black box has a label that no sample had.
        """
        if self.black_box.task == "regression":
            return np.zeros(len(points), np.int64)
        labels = self.black_box.labels(points)
        if (labels < 0).any():
            lost = points[int(labels.argmin())].tolist()
            raise ValueError(f"the black box has a label that no sample had at x = {lost}")
        return labels

    def stability(
        self, x: ArrayLike, other: "Interpretation | None" = None, *, reach: float = 0.05
    ) -> float:
        """Mean cosine between two explanations of the same question.

        Args:
            x: `(points, in_features)`.
            other: an interpretation of the same black box, from another key; both explain every
                point. By default every point and a neighbour are explained by this one.
            reach: distance of the neighbour in standard deviations of each feature.

        Returns:
            In [-1, 1]; weights are measured in standard deviations.
        """
        points = self.network.points(x)
        random = generator(jax.random.fold_in(self.key, 3))
        moved = points
        if other is None:
            noise = reach * self.place.scale * random.normal(size=points.shape)
            moved = self.place.inside(points + noise)
        cosines = []
        for point, neighbour in zip(points, moved, strict=True):
            first = self.explain(point)
            second = (other or self).explain(neighbour, first.label, first.other)
            cosines.append(cosine(first.effects, second.weights * self.place.scale))
        return float(np.mean(cosines))

    @cached_property
    def regions(self) -> Regions:
        """Affine regions: all in the domain for one and two inputs, else those that hold data.

        Without data those that hold samples.
        """
        if self.network.in_features <= 2:
            return regions(self.network, self.place.box)
        holders = np.concatenate([self.place.rows, self.place.held_out])
        return _holding(self.network, self.place.box, holders if len(holders) else self.samples)

    @cached_property
    def facets(self) -> Boundary:
        """Facets of the decision boundary in :attr:`regions`; their `nearest(x)` is exact there.

        Beyond two inputs each takes a linear programme: about (regions) x (pairs of classes).

        Raises:
            ValueError: for a regression, which has no boundary.
        """
        self._classifies("a boundary")
        return boundary(self.regions)

    def _classifies(self, what: str) -> None:
        if self.black_box.task == "regression":
            raise ValueError(f"{what} needs a classification; a regression has its regions")

    def rules(self, fidelity: float = 0.99) -> Rules:
        """Few cells, one label each, that say what the network says.

        Args:
            fidelity: share of the held-out points that must get the network's label; where that
                cannot be had, the rules come as close as they can and their `fidelity` says so.

        Raises:
            ValueError: for a regression, or a fidelity outside (0, 1].
        """
        self._classifies("a list of rules")
        if not 0 < fidelity <= 1:
            raise ValueError(f"fidelity must lie in (0, 1], got {fidelity}")
        random = generator(jax.random.fold_in(self.key, 4))
        return compression.rules(
            self.network,
            self._rule_points(random),
            self.held_out,
            self.classes,
            self.place.scale,
            self.features,
            fidelity,
            random,
        )

    def _rule_points(self, random: np.random.Generator) -> np.ndarray:
        """Half like the held-out points, half like the samples, for the boundary's sake."""
        half = _RULE_POINTS // 2
        chosen = random.permutation(len(self.samples))[:half]
        own = like_held_out(self.place, self.place.rows, half, random)
        return np.concatenate([own, self.samples[np.sort(chosen)]])


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    """Cosine of the angle between two vectors; 1 for two zeros, 0 for one."""
    lengths = float(np.linalg.norm(a) * np.linalg.norm(b))
    if lengths > 0:
        return float(a @ b / lengths)
    return 1.0 if not a.any() and not b.any() else 0.0


def _holding(network: PiecewiseAffine, box: np.ndarray, points: np.ndarray) -> Regions:
    """The regions around points, each once, as far as they lie in the box."""
    patterns, first = np.unique(network.pattern(points), axis=0, return_index=True)
    weights, biases = network.affine(patterns)
    inside, kept = from_box(box), points[first]
    parts = [network.polytope(point) & inside for point in kept]
    shapes = Polytopes(
        np.stack([part.normals for part in parts]),
        np.stack([part.offsets for part in parts]),
        np.full(len(parts), len(parts[0].offsets)),
        kept,
    )
    return Regions(network, box, weights, biases, patterns, kept, shapes)


def feature_names(names: Iterable[str] | None, count: int) -> tuple[str, ...]:
    """The names given, or x1, x2, ...

    Raises:
        ValueError: for another number of names.
    """
    made = tuple(f"x{number + 1}" for number in range(count))
    found = made if names is None else tuple(str(name) for name in names)
    if len(found) != count:
        raise ValueError(f"needs {count} names of features, got {len(found)}")
    return found
