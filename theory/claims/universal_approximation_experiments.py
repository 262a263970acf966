"""The experiments of the universal approximation paper's claims; all but one need no chance."""

import math
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from numpy.polynomial import chebyshev, polynomial

from theory.claims.claim import Control, Finding, Lab, Row
from theory.claims.exact import exact, numpy_generator, verdict
from theory.claims.statistics import greater
from theory.exact_layers import product_neuron, square_norm_neuron
from theory.products import ProductTree, product_tree
from theory.ridges import catalecticant_rank, ridge_share
from theory.roots import Roots
from theory.sawtooth import fewest_relu_neurons, sawtooth_product

DEGREES = (1, 2, 3, 5, 8, 16, 24, 32)
TOLERANCE = 1e-10
ACTIVATIONS: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {
    "relu": lambda z: np.maximum(z, 0),
    "tanh": np.tanh,
    "sine": np.sin,
    "square": np.square,
}


def _run(model: nnx.Module, x: np.ndarray) -> np.ndarray:
    with jax.enable_x64(True):
        return np.asarray(model(jnp.asarray(x)))[:, 0]


def one_neuron_per_layer(lab: Lab) -> Finding:
    """R^2 for |x|^2 under N(0, I_2): one quadratic neuron against chains of conventional ones."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(40)
    grid = np.stack(np.meshgrid(nodes, nodes), axis=-1).reshape(-1, 2)
    shares = np.outer(weights, weights).ravel() / weights.sum() ** 2
    target = np.sum(grid**2, axis=1)
    chance, width = numpy_generator(lab), 2 if lab.fault == "two_neurons" else 1
    chains = {
        name: max(
            _share(_chain(act, chance, depth, width, grid), target, shares)
            for depth in (1, 2, 4, 8)
            for _ in range(4 * lab.budget.seeds)
        )
        for name, act in ACTIVATIONS.items()
    }
    angles = np.linspace(0, np.pi, 61)
    best = [ridge_share(_square_norm, np.array([np.cos(a), np.sin(a)])) for a in angles]
    quadratic = _share(_run(square_norm_neuron(2), grid)[:, None], target, shares)
    comparison = exact(quadratic - max(*best, *chains.values()))
    return Finding(
        greater(comparison, 0.5 - 1e-9),
        comparison,
        0.5 - 1e-9,
        "R^2 more than the best of all ridge functions and chains",
        (
            Row("one quadratic neuron: R^2", quadratic),
            Row("best function of one direction: R^2, worst angle", min(best)),
            Row("best function of one direction: R^2, best angle", max(best)),
            *(
                Row(f"chains of {name} neurons, depth 1 to 8: R^2, best", r)
                for name, r in chains.items()
            ),
        ),
        note="A network with one conventional neuron per layer is a function of w.x, whatever its "
        "depth and activation; the best such function has R^2 = 1/2 in every direction.",
        series={"angles": angles.tolist(), "best": best, "quadratic": quadratic, "chains": chains},
    )


def _square_norm(x: np.ndarray) -> np.ndarray:
    return np.sum(x**2, axis=1)


def _chain(
    act: Callable[[np.ndarray], np.ndarray],
    chance: np.random.Generator,
    depth: int,
    width: int,
    x: np.ndarray,
) -> np.ndarray:
    """Outputs `(points, width)` of a random network; orthogonal first weights, if two."""
    kernel = np.linalg.qr(chance.normal(size=(2, 2)))[0][:, :width]
    # Two neurons look along the axes without bias, so that their squares can sum to the target.
    h = act(x @ kernel + (chance.normal() if width == 1 else 0.0))
    for _ in range(depth - 1):
        # Layers are scaled to outputs of at most 1, as some weights would: squares overflow.
        h = act(h / max(float(np.abs(h).max()), 1e-300) * chance.normal() + chance.normal())
    return h


def _share(outputs: np.ndarray, target: np.ndarray, weights: np.ndarray) -> float:
    """R^2 of the best affine readout under quadrature weights."""
    root = np.sqrt(weights)[:, None]
    terms = np.concatenate([np.ones_like(target)[:, None], outputs], axis=1)
    scaled = terms / np.maximum(np.abs(terms).max(axis=0), 1e-300)
    best = np.linalg.lstsq(scaled * root, target * root[:, 0])[0]
    centred = target - weights @ target
    return float(1 - weights @ (scaled @ best - target) ** 2 / (weights @ centred**2))


def tree_exact(lab: Lab) -> Finding:
    """Largest relative error of product trees to degree 32, against closed forms and fractions."""
    x = np.linspace(-1, 1, 101)
    chance, errors = numpy_generator(lab), []
    plain, horner, condition = [], [], []
    for degree in DEGREES:
        coefficients = chebyshev.cheb2poly([0] * degree + [1])
        truth = np.cos(degree * np.arccos(x))
        tree = _tree(coefficients, lab.fault)
        errors.append(_error(_run(tree, x[:, None]), truth))
        plain.append(_error(_run(_tree(coefficients, "eigenvalues"), x[:, None]), truth))
        horner.append(_error(polynomial.polyval(x, coefficients), truth))
        condition.append(tree.condition)
    scattered = [_random_roots_error(chance, 32, x, lab.fault) for _ in range(lab.budget.seeds)]
    effect = max(*errors, *scattered)
    return Finding(
        verdict(effect < TOLERANCE),
        exact(effect),
        TOLERANCE,
        "error over the polynomial's largest value on [-1, 1], float64",
        (
            *(
                Row(f"Chebyshev polynomial of degree {n}: relative error", e)
                for n, e in zip(DEGREES, errors, strict=True)
            ),
            Row("degree 32, random roots in the unit disc: relative error, worst", max(scattered)),
            Row("degree 32, Chebyshev, roots as eigenvalues only: relative error", plain[-1]),
            Row("degree 32, Chebyshev, Horner's rule: relative error", horner[-1]),
            Row("degree 32, Chebyshev: condition of the worst root", condition[-1]),
        ),
        note="Roots settle in long integers; as eigenvalues of the companion matrix they would "
        "cost the digits that their condition says. The tree is more exact than Horner's rule.",
        series={
            "degree": list(DEGREES),
            "tree": errors,
            "eigenvalues": plain,
            "horner": horner,
            "condition": condition,
        },
        test="below",
    )


def _tree(coefficients: np.ndarray, fault: str | None) -> ProductTree:
    if fault != "eigenvalues":
        return product_tree(coefficients)
    rough = polynomial.polyroots(coefficients).astype(np.complex128)
    return product_tree(coefficients, found=Roots(rough, math.nan))


def _error(found: np.ndarray, truth: np.ndarray) -> float:
    return float(np.abs(found - truth).max() / np.abs(truth).max())


def _random_roots_error(
    chance: np.random.Generator, degree: int, x: np.ndarray, fault: str | None
) -> float:
    half = np.sqrt(chance.random(degree // 2)) * np.exp(2j * np.pi * chance.random(degree // 2))
    coefficients = np.poly(np.concatenate([half, half.conj()])).real[::-1]
    return _error(_run(_tree(coefficients, fault), x[:, None]), _in_fractions(coefficients, x))


def _in_fractions(coefficients: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Horner's rule without rounding."""
    terms = [Fraction(float(c)) for c in coefficients[::-1]]

    def value(point: Fraction) -> Fraction:
        total = Fraction(0)
        for term in terms:
            total = total * point + term
        return total

    return np.array([float(value(Fraction(float(point)))) for point in x])


def tree_size(lab: Lab) -> Finding:
    """Neurons, depth and width of product trees against N and log2 N."""
    trees = [product_tree(chebyshev.cheb2poly([0] * n + [1])) for n in DEGREES]
    layered = [tree.neurons + tree.carried for tree in trees]
    counts = layered if lab.fault == "layered" else [tree.neurons for tree in trees]
    depths = [1 + math.ceil(math.log2(math.ceil(n / 2))) for n in DEGREES]
    fits = all(
        tree.depth == depth and tree.width <= n
        for tree, depth, n in zip(trees, depths, DEGREES, strict=True)
    )
    effect = max(count - n for count, n in zip(counts, DEGREES, strict=True))
    over = float(max(count - n for count, n in zip(layered, DEGREES, strict=True)))
    return Finding(
        verdict(fits and effect <= 0),
        exact(effect),
        0.0,
        "neurons more than the degree, largest",
        tuple(
            Row(f"degree {n}: neurons, in {tree.depth} layers", float(tree.neurons))
            for n, tree in zip(DEGREES, trees, strict=True)
        ),
        (
            Control(
                "N neurons suffice without skipping layers too",
                verdict(over <= 0),
                over,
                (over, over),
            ),
        ),
        "An odd factor skips a layer; a strictly layered network hands it on by one more neuron.",
        {
            "degree": list(DEGREES),
            "neurons": [tree.neurons for tree in trees],
            "layered": layered,
            "depth": depths,
        },
        test="below",
    )


def products_cheap(lab: Lab) -> Finding:
    """Weights of ReLU products against log2(1/error); a quadratic neuron has two and no error."""
    folds = list(range(1, 11))
    nets = [sawtooth_product(m) for m in folds]
    errors = [_worst_product_error(m) for m in folds]
    bits = [-math.log2(error) for error in errors]
    pair = numpy_generator(lab).uniform(-1, 1, (256, 2))
    missed = float(np.abs(_run(product_neuron(), pair) - pair[:, 0] * pair[:, 1]).max())
    weights = [2 if lab.fault == "quadratic" else net.weights for net in nets]
    slope = float(np.polyfit(bits, weights, 1)[0])
    least = [fewest_relu_neurons(error) for error in errors]
    floor = float(np.polyfit(bits, least, 1)[0])
    return Finding(
        verdict(slope > 1e-9 and missed == 0),
        exact(slope),
        0.0,
        "ReLU weights per bit of accuracy; quadratic: 0",
        (
            *(
                Row(f"ReLU product, {bit:.0f} bits: weights", float(count))
                for bit, count in zip(bits, weights, strict=True)
            ),
            Row("quadratic product: weights", 2.0),
            Row("quadratic product: largest error", missed),
            Row("fewest ReLU neurons for x^2, per bit of accuracy", floor),
        ),
        (
            Control(
                "No ReLU network does without neurons that grow with log2(1/error)",
                verdict(floor > 0),
                floor,
                (floor, floor),
            ),
        ),
        "Weights of the construction are an upper bound; the control counts pieces, a lower bound "
        "for every ReLU network. Quantisation to few distinct weights is not part of this check.",
        {"bits": bits, "weights": weights, "fewest": least, "quadratic": 2},
    )


def _worst_product_error(m: int) -> float:
    """On the diagonal x = y, in the middle between the knots of x^2, where it is largest."""
    middles = (2 * np.arange(2**m) + 1) / 2 ** (m + 1)
    x = np.stack([middles, middles], axis=1)
    return float(np.abs(sawtooth_product(m)(x)[:, 0] - middles**2).max())


def efficiency(lab: Lab) -> Finding:
    """Ridge functions that |x|^(2k) needs; one radial quadratic neuron and z^k are exact."""
    cases = [(d, k) for d in (2, 3, 4, 5) for k in (1, 2, 3)]
    flat = lab.fault == "one_direction"
    ranks = [catalecticant_rank(1 if flat else d, k) for d, k in cases]
    full = all(flat or r == _ridges(d, k) for (d, k), r in zip(cases, ranks, strict=True))
    missed = max(_radial_error(numpy_generator(lab), d, k) for d, k in cases)
    comparison = exact(min(ranks) - 1)
    return Finding(
        verdict(full and missed < 1e-12 and comparison.effect > 0),
        comparison,
        0.0,
        "neurons saved, smallest of twelve cases",
        (
            *tuple(
                Row(f"|x|^{2 * k} in {d} dimensions: ridge functions needed", float(rank))
                for (d, k), rank in zip(cases, ranks, strict=True)
            ),
            Row("one quadratic neuron with activation z^k: relative error", missed),
        ),
        note="Ranks of catalecticants, exact; all are full, C(d+k-1, k). They bound exact "
        "representation by any ridge functions; approximation within a tolerance may take fewer.",
        series={"cases": [list(case) for case in cases], "ranks": ranks},
    )


def _ridges(d: int, k: int) -> int:
    return math.comb(d + k - 1, k)


def _radial_error(chance: np.random.Generator, d: int, k: int) -> float:
    x = chance.normal(size=(64, d))
    return _error(_run(square_norm_neuron(d), x) ** k, np.sum(x**2, axis=1) ** k)


def exponential(lab: Lab) -> Finding:
    """How the count of ridge functions grows when the dimension doubles, at a fixed degree."""
    dimensions: Sequence[int] = (2, 4, 8, 16, 32)
    chosen = {d: d if lab.fault == "degree_grows" else 1 for d in dimensions}
    counts = [_ridges(d, k) for d, k in chosen.items()]
    growth = math.log(counts[-1]) / math.log(counts[-2])
    comparison = exact(growth)
    return Finding(
        greater(comparison, 2.0),
        comparison,
        2.0,
        "log count at d = 32 over log count at d = 16",
        tuple(
            Row(f"|x|^2 in {d} dimensions: ridge functions needed", float(_ridges(d, 1)))
            for d in dimensions
        ),
        (
            Control(
                "It does when the degree grows with the dimension",
                verdict(math.log(_ridges(32, 32)) / math.log(_ridges(16, 16)) > 2),
                math.log(_ridges(32, 32)) / math.log(_ridges(16, 16)),
                (math.log(_ridges(32, 32)) / math.log(_ridges(16, 16)),) * 2,
            ),
        ),
        "An exponential count would square when d doubles. |x|^2 takes exactly d squares: at a "
        "fixed degree the count C(d+k-1, k) is a polynomial in d.",
        {
            "dimensions": list(dimensions),
            "counts": {
                "k = 1": [_ridges(d, 1) for d in dimensions],
                "k = 2": [_ridges(d, 2) for d in dimensions],
                "k = 3": [_ridges(d, 3) for d in dimensions],
                "k = d": [_ridges(d, d) for d in dimensions],
            },
        },
    )
