"""Super-expressivity: any function from a fixed number of parameters, and what that costs.

A network whose aggregation oscillates, such as `sin(w x)`, can follow any finite data with one
parameter: its values along w are dense (a dense trajectory). The number of parameters is fixed; the
information goes into the size of w or, for a bounded `s = 1/w`, into the digits of s. A network
whose aggregation is polynomial cannot: it has finitely many pieces, and loses every frequency
beyond them.

References:
    NeuronSeek, arXiv 2506.15715 v2, abstract (the theorem's text was not at hand;
    the constructions are ours). D. Yarotsky, Elementary superexpressive activations, ICML 2021.
    P. Goldberg, M. Jerrum, Bounding the Vapnik-Chervonenkis dimension of concept classes
    parameterized by real numbers, 1995.
"""

import math
from collections.abc import Sequence
from functools import cache

import numpy as np
from jaxtyping import Float
from scipy.special import spherical_jn

_CHUNK = 1 << 14


def trajectory_directions(k: int) -> Float[np.ndarray, " k"]:
    """Square roots of the first k primes: independent over the rationals together with 1.

    Example:
        >>> (trajectory_directions(3) ** 2).round(9).tolist()
        [2.0, 3.0, 5.0]
    """
    primes: list[int] = []
    candidate = 2
    while len(primes) < k:
        if all(candidate % p for p in primes):
            primes.append(candidate)
        candidate += 1
    return np.sqrt(np.asarray(primes, dtype=float))


def first_frequencies(
    values: Float[np.ndarray, " k"],
    directions: Float[np.ndarray, " k"],
    tolerances: Sequence[float],
    limit: int,
) -> list[int | None]:
    """Smallest whole frequency at which the trajectory passes the values, for each tolerance.

    The trajectory is `frac(w a_k)`, w = 1, 2, ...; distances are taken around the circle. For
    random directions a frequency hits with probability `(2 eps)^K`, so that the expected log of
    the first is `K log(1 / (2 eps))` minus Euler's constant; fixed directions may deviate.

    Args:
        values: numbers in [0, 1] to come close to.
        directions: a, of the same length.
        tolerances: eps.
        limit: largest frequency tried.

    Returns:
        One frequency per tolerance, `None` where none up to the limit will do.

    Example:
        >>> first_frequencies(np.array([0.5]), np.array([0.125]), [0.2, 0.01], limit=100)
        [3, 4]
    """
    found: list[int | None] = [None] * len(tolerances)
    for start in range(1, limit + 1, _CHUNK):
        w = np.arange(start, min(start + _CHUNK, limit + 1), dtype=float)
        distance = _torus_distance(w, values, directions)
        for at, tolerance in enumerate(tolerances):
            hits = np.flatnonzero(distance < tolerance)
            if found[at] is None and hits.size:
                found[at] = int(w[hits[0]])
        if all(f is not None for f in found):
            break
    return found


def _torus_distance(w: np.ndarray, values: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """Largest distance, over the values, between `frac(w a)` and its value."""
    worst = np.zeros(len(w))
    for value, direction in zip(values, directions, strict=True):
        gap = w * direction - value
        np.maximum(worst, np.abs(gap - np.rint(gap)), out=worst)
    return worst


def bits_to_follow(k: int, tolerance: float) -> float:
    """Bits of the frequency that follows k values to within a tolerance: `k log2(1 / (2 eps))`.

    Example:
        >>> bits_to_follow(10, 2**-6)  # nearly all of float64's 53
        50.0
    """
    return k * math.log2(1 / (2 * tolerance))


def shattering_points(k: int) -> Float[np.ndarray, " k"]:
    """The points `10^-1, ..., 10^-k`."""
    return 10.0 ** -np.arange(1, k + 1)


def shattering_frequency(labels: Sequence[bool] | np.ndarray) -> float:
    """One parameter that labels all points: `w = pi (1 + sum_i (1 - y_i) 10^i)`.

    `sin(w 10^-i) > 0` exactly where `y_i` is true. In whole numbers the construction is exact for
    every k; float64 can hold it as long as w fits its 53 bits.

    Args:
        labels: one Boolean per point of :func:`shattering_points`.
    """
    whole = 1 + sum((not label) * 10**i for i, label in enumerate(labels, start=1))
    return math.pi * float(whole)


def shatters(labels: Sequence[bool] | np.ndarray, frequency: float) -> bool:
    """Whether the signs of `sin(w x_i)` are the labels, computed in float64."""
    signs = np.sin(frequency * shattering_points(len(labels))) > 0
    return bool(np.array_equal(signs, np.asarray(labels, dtype=bool)))


def significant(value: float, bits: int) -> float:
    """The value rounded to so many significant bits.

    Example:
        >>> significant(0.7, 2)
        0.75
    """
    mantissa, exponent = math.frexp(value)
    return math.ldexp(round(math.ldexp(mantissa, bits)) / 2**bits, exponent)


def bits_of_bounded_parameter(labels: Sequence[bool] | np.ndarray) -> int | None:
    """Fewest significant bits of `s = 1/w` in (0, 1) that still label all points.

    Fixed magnitude does not make the parameter cheap: it moves the cost into its digits. Every
    number of bits from the answer to 52 works.

    Args:
        labels: one Boolean per point of :func:`shattering_points`.

    Returns:
        The bits; `None` if float64 does not hold the labels.
    """
    inverse = 1 / shattering_frequency(labels)
    if not shatters(labels, 1 / inverse):
        return None
    for bits in range(52, 0, -1):
        if not shatters(labels, 1 / significant(inverse, bits)):
            return bits + 1
    return 1


def piece_bound(width: int, layers: int = 1, degree: int = 2) -> int:
    """Most polynomial pieces of a one-input ReLU network with polynomial aggregation.

    `prod_{l=1..L} (p^l n + 1)`: within a piece, layer l's neurons are polynomials of degree
    `p^l`, and each of their zeros starts at most one new piece.

    Args:
        width: neurons per hidden layer, n.
        layers: hidden layers, L.
        degree: of the aggregation, p; 1 is the conventional network.

    Example:
        >>> piece_bound(8), piece_bound(8, layers=2)
        (17, 561)
    """
    return math.prod(degree**layer * width + 1 for layer in range(1, layers + 1))


def sign_change_bound(width: int, layers: int = 1, degree: int = 2) -> int:
    """Most sign changes of such a network: pieces times the degree `p^L` of each.

    Args:
        width: neurons per hidden layer.
        layers: hidden layers.
        degree: of the aggregation.
    """
    return piece_bound(width, layers, degree) * degree**layers


def sign_changes(values: Float[np.ndarray, " points"]) -> int:
    """How often a sampled function changes its sign; zeros are skipped.

    Example:
        >>> sign_changes(np.array([1.0, 0.0, -2.0, -1.0, 3.0]))
        2
    """
    signs = np.sign(values)
    signs = signs[signs != 0]
    return int(np.count_nonzero(signs[1:] != signs[:-1]))


def random_network(
    x: Float[np.ndarray, " points"],
    width: int,
    layers: int,
    generator: np.random.Generator,
) -> Float[np.ndarray, " points"]:
    """Output of a random ReLU network of quadratic neurons on one input, its median removed.

    Args:
        x: inputs.
        width: neurons per hidden layer.
        layers: hidden layers.
        generator: draws the weights.
    """
    hidden = x[:, None]
    for _ in range(layers):
        n = hidden.shape[1]
        r, g, b = generator.normal(size=(3, n, width)) / math.sqrt(n)
        offsets = generator.normal(size=(3, width))
        z = (hidden @ r + offsets[0]) * (hidden @ g + offsets[1]) + hidden**2 @ b + offsets[2]
        hidden = np.maximum(z, 0) / max(1.0, np.abs(z).max())
    output = hidden @ generator.normal(size=width)
    return output - np.median(output)


def captured(degree: int, phase: Float[np.ndarray, " k"]) -> Float[np.ndarray, " k"]:
    """Most of a sine's energy that one polynomial captures, on an interval of `2 phase` radians.

    The projection of `exp(i k t)`, t in [-1, 1], on polynomials of degree q has the share
    `sum_{j <= q} (2j + 1) j_j(k)^2` of its energy, with spherical Bessel functions `j_j`.

    Args:
        degree: q.
        phase: k, half the interval's length in radians of the wave.
    """
    shares = [(2 * j + 1) * spherical_jn(j, phase) ** 2 for j in range(degree + 1)]
    return np.minimum(np.sum(shares, axis=0), 1.0)


@cache
def best_piece(degree: int) -> float:
    """Largest `k captured(k)`: what one piece captures at most, in units of the wave.

    Beyond the grid's end the product falls like `(q + 1)^2 / k` and cannot return.
    """
    phase = np.linspace(1e-6, 20.0 * (degree + 1) ** 2, 40_000)
    return float((phase * captured(degree, phase)).max())


def wave_error_bound(waves: int, pieces: int, degree: int) -> float:
    """Least normalised RMSE of any piecewise polynomial on `sin(m x)`, x in [0, 2 pi].

    A piece of length l captures at most `l captured(m l / 2) <= (2 / m) best_piece` of the wave
    `exp(i m x)`, and the sine's energy is pi: `NRMSE^2 >= 1 - 2 pieces best_piece / (pi m)`. So
    every fixed network loses all waves in the end: the bound tends to one.

    Args:
        waves: m.
        pieces: how many pieces, see :func:`piece_bound`.
        degree: of the pieces.

    Example:
        >>> wave_error_bound(1, 5, 2), round(wave_error_bound(1_000, 5, 2), 3)
        (0.0, 0.996)
    """
    return math.sqrt(max(0.0, 1 - 2 * pieces * best_piece(degree) / (math.pi * waves)))
