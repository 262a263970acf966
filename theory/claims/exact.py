"""What claims without chance share: an effect as it is, and a verdict that is never undecided."""

import jax
import numpy as np

from theory.claims.claim import Lab
from theory.claims.statistics import Comparison, Status


def exact(effect: float | int) -> Comparison:
    """An effect without chance in it: its interval is a point."""
    return Comparison(float(effect), (float(effect), float(effect)), 1)


def verdict(holds: bool) -> Status:
    """Supported or refuted."""
    return "supported" if holds else "refuted"


def numpy_generator(lab: Lab, *numbers: int) -> np.random.Generator:
    """NumPy's generator, seeded by the lab's key and any numbers (a seed, a use) folded into it."""
    key = lab.key
    for number in numbers:
        key = jax.random.fold_in(key, number)
    return np.random.default_rng(np.asarray(jax.random.key_data(key)))
