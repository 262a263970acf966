import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.append(str(Path(__file__).parent))  # for loops


@pytest.fixture(scope="session")
def pair():
    """Six maps with ties, and masks of several regions."""
    rng = np.random.default_rng(0)
    maps = rng.integers(0, 12, size=(6, 9, 8)).astype(np.float32) / 8 - 0.5
    masks = rng.random(size=(6, 9, 8)) < np.linspace(0.1, 0.6, 6)[:, None, None]
    return maps, masks
