"""Experiments on exact regions, decision boundaries and linearised activations."""

import itertools
from collections.abc import Callable, Sequence
from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np

from theory.claims.claim import Control, Finding, Lab, Row
from theory.claims.exact import exact, numpy_generator, verdict
from theory.claims.statistics import below, mean_effect, same
from theory.optimal import approximate
from theory.optimal.result import Approximation
from theory.regions import (
    Boundary,
    PiecewiseAffine,
    boundary,
    from_layers,
    generic_count,
    labels,
    linearised,
    margins,
    regions,
)

DEPTHS = (1, 2, 3, 4)
POINTS = 10_000
BOX = np.array([[-1.0, 1.0], [-1.0, 1.0]])
GRID = 101
SEGMENTS = (4, 8, 16, 32)
TANH_NET = (2, 16, 16, 1)
NETWORKS = 4  # linearised, by seed


def random_net(random: np.random.Generator, widths: Sequence[int]) -> PiecewiseAffine:
    """A ReLU network with normal weights, whose outputs tie at about the middle of the data."""
    sizes = [*itertools.pairwise(widths)]
    weights = [random.normal(size=size) * np.sqrt(2 / size[0]) for size in sizes]
    biases = [0.3 * random.normal(size=size[1]) for size in sizes]
    outputs = from_layers(weights, biases)(random.uniform(-1, 1, (500, widths[0])))
    return from_layers(weights, [*biases[:-1], biases[-1] - outputs.mean(axis=0)])


def exactness(lab: Lab) -> Finding:
    """Effective weights against the network, at random points of networks of every depth."""
    random = numpy_generator(lab, 0)
    errors, singles, kept = [], [], []
    for depth in DEPTHS:
        net = random_net(random, (5, *(24,) * depth, 3))
        x = random.uniform(-1, 1, (POINTS, 5))
        affine = _affine(net, x, lab.fault == "wrong_piece")
        scale = np.abs(net(x)).max()
        errors.append(float(np.abs(affine - net(x)).max() / scale))
        singles.append(float(np.abs(affine - _single(net, x)).max() / scale))
        kept.append(_keeps(net, x[:50], random))
    comparison = exact(max(errors))
    rows = [
        Row(f"depth {depth}: largest error in {name}", error)
        for name, found in (("float64", errors), ("float32", singles))
        for depth, error in zip(DEPTHS, found, strict=True)
    ]
    return Finding(
        below(comparison, 1e-12),
        comparison,
        1e-12,
        "largest error over the largest output, float64",
        tuple(rows),
        (
            Control(
                "In float32 it stays below 1e-5",
                verdict(bool(max(singles) < 1e-5)), max(singles), (max(singles),) * 2,
            ),
            Control(
                "Points moved within their polytope keep their weights",
                verdict(min(kept) == 1.0), min(kept), (min(kept),) * 2,
            ),
        ),
        f"{POINTS} points of [-1, 1]^5 by depth; 24 units a layer.",
        test="below",
    )  # fmt: skip


def _affine(net: PiecewiseAffine, x: np.ndarray, wrong: bool) -> np.ndarray:
    """W_eff x + b_eff; with the planted fault one unit of each pattern is on the wrong piece."""
    pattern = net.pattern(x)
    if wrong:
        pattern[:, 0] = 1 - pattern[:, 0]
    weights, biases = net.affine(pattern)
    return np.einsum("poi,pi->po", weights, x) + biases


def _single(net: PiecewiseAffine, x: np.ndarray) -> np.ndarray:
    """The network in JAX and float32."""
    arrays = [
        (jnp.asarray(w, jnp.float32), jnp.asarray(b, jnp.float32)[None])
        for w, b in zip(net.weights, net.biases, strict=True)
    ]

    @jax.jit
    def forward(h: jax.Array) -> jax.Array:
        for kernel, bias in arrays[:-1]:
            h = jax.nn.relu(h @ kernel + bias)
        return h @ arrays[-1][0] + arrays[-1][1]

    return np.asarray(forward(jnp.asarray(x, jnp.float32)), np.float64)


def _keeps(net: PiecewiseAffine, x: np.ndarray, random: np.random.Generator) -> float:
    """Share of points that keep their weights on the way to a wall of their polytope."""
    weights = net.local(x)[0]
    moved = []
    for point in x:
        polytope = net.polytope(point)
        step = random.normal(size=point.size)
        speed = polytope.normals @ step
        room = polytope.offsets - polytope.normals @ point
        moved.append(point + 0.99 * step * (room[speed > 0] / speed[speed > 0]).min(initial=1.0))
    return float(np.isclose(net.local(np.array(moved))[0], weights, atol=1e-12).all((1, 2)).mean())


def counts(lab: Lab) -> Finding:
    """Regions of random one-layer networks on all of R^d, against sum C(n, i)."""
    random = numpy_generator(lab, 0)
    sizes = [(n, d) for d in (2, 3) for n in (3, 6, 10)]
    found = []
    for n, d in sizes:
        normals, offsets = random.normal(size=(d, n)), random.normal(size=n)
        if lab.fault == "parallel":
            normals[:, 1] = normals[:, 0]
        net = from_layers([normals, np.ones((n, 1))], [offsets, np.zeros(1)])
        found.append(len(regions(net)))
    off = max(abs(k - generic_count(*size)) for k, size in zip(found, sizes, strict=True))
    deep = random_net(random, (2, 16, 16, 2))
    area = float(abs(regions(deep, BOX).volumes.sum() / 4 - 1))
    comparison = exact(off)
    rows = [
        Row(f"n = {n}, d = {d}: regions (formula {generic_count(n, d)})", float(k))
        for (n, d), k in zip(sizes, found, strict=True)
    ]
    return Finding(
        verdict(off == 0),
        comparison,
        0.5,
        "regions off the formula, largest of six cases",
        tuple(rows),
        (
            Control(
                "The regions of a deep network tile the box to 1e-9",
                verdict(area < 1e-9), area, (area, area),
            ),
        ),
        test="below",
    )  # fmt: skip


def complete_boundary(lab: Lab) -> Finding:
    """Whether every change of label on a grid has a facet in between, and facets are ties."""
    random = numpy_generator(lab, 0)
    missed, margin, facets, pairs, shown = 0, 0.0, 0, 0, []
    for outputs in (2, 3, 5):
        net = random_net(random, (2, 24, 24, outputs))
        found = boundary(net, BOX)
        ends = found.ends if found.ends is not None else np.zeros((0, 2, 2))
        if lab.fault == "lost_facet":
            ends = np.delete(ends, int(found.lengths.argmax()), axis=0)
        first, second = unlike_neighbours(net)
        missed += int((~crossed(ends, first, second)).sum())
        pairs, facets = pairs + len(first), facets + len(found)
        margin = max(margin, float(margins(net, along(found, 5)).margin.max(initial=0.0)))
        shown.append(arrays(net))
    comparison = exact(missed)
    return Finding(
        verdict(missed == 0 and pairs > 0),
        comparison,
        0.5,
        "unlike neighbours without a facet between them",
        (
            Row("pairs of unlike neighbours", float(pairs)),
            Row("facets", float(facets)),
            Row("largest margin of the top two on facets", margin),
        ),
        (
            Control(
                "The top two tie on every facet, to 1e-6",
                verdict(margin <= 1e-6), margin, (margin, margin),
            ),
        ),
        f"A grid of {GRID} x {GRID} on networks of two hidden layers with 2, 3 and 5 classes.",
        {"box": BOX.tolist(), "networks": shown},
        "below",
    )  # fmt: skip


def arrays(net: PiecewiseAffine) -> dict[str, list]:
    """A ReLU network as JSON types: what a figure makes it from again."""
    return {
        "weights": [kernel.tolist() for kernel in net.weights],
        "biases": [bias.tolist() for bias in net.biases],
    }


def unlike_neighbours(net: PiecewiseAffine) -> tuple[np.ndarray, np.ndarray]:
    """Both points of all neighbours on a grid that have unlike labels."""
    # Off the walls' likely places, so that no point of the grid lies on the boundary.
    ticks = np.linspace(-1, 1, GRID) * 0.999 + 1e-4
    grid = np.stack(np.meshgrid(ticks, ticks, indexing="ij"), axis=-1)
    label = labels(net, grid.reshape(-1, 2)).reshape(GRID, GRID)
    first, second = [], []
    for axis in (0, 1):
        unlike = np.diff(label, axis=axis) != 0
        first.append(np.delete(grid, -1, axis)[unlike])
        second.append(np.delete(grid, 0, axis)[unlike])
    return np.concatenate(first), np.concatenate(second)


def crossed(ends: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Whether the path between two points meets any of the segments `(segments, 2, 2)`."""
    p, q = first[:, None], second[:, None]
    a, b = ends[None, :, 0], ends[None, :, 1]
    apart = _side(p, q, a) * _side(p, q, b) <= 1e-18
    return (apart & (_side(a, b, p) * _side(a, b, q) <= 1e-18)).any(axis=1)


def _side(p: np.ndarray, q: np.ndarray, r: np.ndarray) -> np.ndarray:
    along, to = q - p, r - p
    return along[..., 0] * to[..., 1] - along[..., 1] * to[..., 0]


def along(found: Boundary, count: int) -> np.ndarray:
    """Points on every segment."""
    assert found.ends is not None  # for the type checker: two inputs
    shares = np.linspace(0, 1, count)[:, None, None]
    return ((1 - shares) * found.ends[:, 0] + shares * found.ends[:, 1]).reshape(-1, 2)


def linearisation(lab: Lab) -> Finding:
    """Error of linearised tanh networks over the number of segments, and its bound."""
    runs = np.array(
        [
            [
                _linearised(random_net(numpy_generator(lab, seed, i), TANH_NET), lab.fault)
                for i in range(NETWORKS)
            ]
            for seed in range(lab.budget.seeds)
        ]
    )
    errors, bounds = runs[..., 0].mean(axis=1), runs[..., 1].mean(axis=1)
    slopes = [float(np.polyfit(np.log(SEGMENTS), np.log(found), 1)[0]) for found in errors]
    comparison = mean_effect(np.array(slopes) + 2)
    over = float((runs[..., 0] / runs[..., 1]).max())
    rows = [
        Row.mean(f"{n} segments: largest error", values)
        for n, values in zip(SEGMENTS, errors.T, strict=True)
    ]
    return Finding(
        same(comparison, 0.15),
        comparison,
        0.15,
        "slope of log(error) over log(segments), plus 2",
        tuple(rows),
        (Control("No error exceeds its bound", verdict(over <= 1), over, (over, over)),),
        "Largest error on a grid of the square, mean of four networks by seed; the bound is a "
        "product of spectral norms, summed over layers. Segments minimise the largest error of "
        "tanh on a range that covers each layer's.",
        {"segments": list(SEGMENTS), "errors": errors.tolist(), "bounds": bounds.tolist()},
        "same",
    )


def _of_seed(lab: Lab, seed: int) -> list[list[tuple[float, float]]]:
    generators = [numpy_generator(lab, seed, number) for number in range(NETWORKS)]
    return [_linearised(random_net(random, TANH_NET), lab.fault) for random in generators]


def _linearised(net: PiecewiseAffine, fault: str | None) -> list[tuple[float, float]]:
    """Largest error on a grid, and its bound, for every number of segments."""
    ticks = np.linspace(-1, 1, 151)
    x = np.stack(np.meshgrid(ticks, ticks), axis=-1).reshape(-1, 2)
    found = []
    for segments in SEGMENTS:
        used = SEGMENTS[0] if fault == "frozen" else segments
        made = linearised(net.weights, net.biases, "tanh", BOX, used, fit=_wide_fit)
        found.append((float(np.abs(made.exact(x) - made.network(x)).max()), made.bound))
    return found


def _wide_fit(
    function: Callable[[np.ndarray], np.ndarray], domain: tuple[float, float], segments: int
) -> Approximation:
    """The best fit on the next power of two: few ranges, each approximated once."""
    reach = 2.0 ** np.ceil(np.log2(max(abs(end) for end in domain)))
    return _tanh_fit(float(reach), segments)


@lru_cache
def _tanh_fit(reach: float, segments: int) -> Approximation:
    return approximate(np.tanh, (-reach, reach), segments, norm="linf")
