import sys
from pathlib import Path

import jax
import pytest
from sklearn.datasets import load_wine

from theory.interpreter import interpret

sys.path.append(str(Path(__file__).parent))  # for toy_boxes


@pytest.fixture(scope="session")
def ring_story():
    """A circle, in two dimensions, from labels alone."""
    from toy_boxes import SQUARE, ring

    with jax.numpy_dtype_promotion("standard"):
        return interpret(
            ring, domain=SQUARE, key=jax.random.key(0), hidden=(16, 16), samples=8000, steps=1500
        )


@pytest.fixture(scope="session")
def wine():
    """178 wines, 13 measurements, three cultivars: ships inside scikit-learn."""
    return load_wine()
