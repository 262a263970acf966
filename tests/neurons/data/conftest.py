"""What the tests of the readers share: where the real data lie, or that they do not."""

import os
from pathlib import Path

import pytest

from neurons.data import registry


@pytest.fixture(scope="session")
def folder_with():
    """A function that gives the folder of real data if it holds a set intact, and skips if not."""
    folder = os.environ.get("NEURONS_DATA")

    def holding(name):
        if not folder or not registry.available(name, folder):
            pytest.skip(f"real data: set NEURONS_DATA to a folder that holds {name} intact")
        return Path(folder)

    return holding
