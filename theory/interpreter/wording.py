"""Affine functions in words."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float


def terms(
    weights: Float[np.ndarray, " in_features"],
    scale: Float[np.ndarray, " in_features"],
    features: Sequence[str],
    most: int = 4,
) -> str:
    """w.x as text: the terms that matter most, and how many are left out.

    Args:
        weights: w.
        scale: standard deviations; a term matters as weight times deviation.
        features: names.
        most: terms to write.

    Example:
        >>> terms(np.array([0.5, -2.0, 0.0]), np.ones(3), ["a", "b", "c"], most=2)
        '-2 b +0.5 a'
    """
    order = np.argsort(-np.abs(weights * scale), kind="stable")
    kept = [i for i in order[:most] if weights[i] != 0]
    left = int(np.count_nonzero(weights)) - len(kept)
    words = [f"{weights[i]:+.3g} {features[i]}" for i in kept]
    if left:
        words.append(f"(and {left} smaller terms)")
    return " ".join(words).removeprefix("+") or "0"
