"""How many regions a network can have: formulas and bounds."""

import math
from collections.abc import Sequence


def generic_count(units: int, in_features: int) -> int:
    """Regions of one hidden layer of generic ReLU units on all of R^d: sum_(i<=d) C(n, i).

    Args:
        units: n, each with one kink along a hyperplane in general position.
        in_features: d.

    Raises:
        ValueError: for sizes below 1.

    References:
        T. Zaslavsky, Facing up to Arrangements, Memoirs of the AMS 154, 1975.

    Example:
        >>> generic_count(10, 2)
        56
    """
    if units < 1 or in_features < 1:
        raise ValueError(f"sizes must be at least 1, got {units} and {in_features}")
    return sum(math.comb(units, i) for i in range(in_features + 1))


def most_at_least(widths: Sequence[int], in_features: int) -> int:
    """A number of regions that some ReLU network of these hidden widths reaches.

    prod_(l<L) floor(n_l / d)^d * sum_(i<=d) C(n_L, i). It bounds the maximum over all weights; a
    given random network is usually far below.

    Args:
        widths: n_1, ..., n_L of the hidden layers, none below d.
        in_features: d.

    Raises:
        ValueError: for sizes below 1, no layer, or a layer narrower than the input.

    References:
        G. Montufar, R. Pascanu, K. Cho, Y. Bengio, On the Number of Linear Regions of Deep Neural
        Networks, NeurIPS 2014, arXiv 1402.1869, theorem 4.
    """
    _check(widths, in_features)
    if min(widths) < in_features:
        raise ValueError(
            f"the formula needs layers no narrower than the input, got {[*widths]} for d="
            f"{in_features}"
        )
    folds = math.prod((width // in_features) ** in_features for width in widths[:-1])
    return folds * generic_count(widths[-1], in_features)


def most_at_most(widths: Sequence[int], in_features: int) -> int:
    """A number of regions that no ReLU network of these hidden widths exceeds.

    prod_l sum_(i <= d_l) C(n_l, i) with d_l = min(d, n_1, ..., n_(l-1)): a layer only sees as many
    dimensions as the narrowest one before it leaves.

    Args:
        widths: n_1, ..., n_L of the hidden layers.
        in_features: d.

    Raises:
        ValueError: for sizes below 1, or no layer.

    References:
        G. Montufar, Notes on the Number of Linear Regions of Deep Neural Networks, 2017.

    Example:
        >>> most_at_least([4, 4], 2), most_at_most([4, 4], 2)
        (44, 121)
    """
    _check(widths, in_features)
    left = [min([in_features, *widths[:layer]]) for layer in range(len(widths))]
    return math.prod(generic_count(n, d) for n, d in zip(widths, left, strict=True))


def _check(widths: Sequence[int], in_features: int) -> None:
    if not widths or min([in_features, *widths]) < 1:
        raise ValueError(
            f"needs hidden layers, and sizes of at least 1: {[*widths]} and {in_features}"
        )
