"""Tiles with pretrained weights: one set, one digest."""

import numpy as np
import pytest

from neurons.data import available, load, simulated
from neurons.data import pretrained_tiles as module
from neurons.data.pretrained_tiles import PretrainedTiles, pretrained_tiles
from neurons.data.tiles import Tiles

WEIGHTS = {"a": np.ones((2, 3), np.float32), "b": np.zeros(4, np.float32)}


def tiles(**changed):
    images = np.full((2, 4, 4), 0.5, np.float32)
    given = {
        "name": "toy", "images": images, "masks": images > 1, "kinds": ("free", "crack"),
        "source": "a toy", "simulated": True, "parts": ("1", "2"),
    }  # fmt: skip
    return given | changed


def test_the_reader_joins_tiles_and_weights(monkeypatch):
    asked = {}

    def read(folder, *, side, free):
        asked.update(folder=folder, side=side, free=free)
        return Tiles(**tiles())

    monkeypatch.setattr(module, "magnetic_tile", read)
    monkeypatch.setattr(module, "pretrained", lambda name, folder: WEIGHTS)
    found = pretrained_tiles("here", side=32, free=7)
    assert asked == {"folder": "here", "side": 32, "free": 7}
    assert (found.name, found.parts) == ("pretrained_tiles", ("1", "2"))
    assert found.kinds == ("free", "crack")
    assert found.weights == WEIGHTS


def test_the_digest_knows_tiles_and_weights():
    other = WEIGHTS | {"b": np.ones(4, np.float32)}
    digests = {
        PretrainedTiles(**tiles(), weights=WEIGHTS).digest,
        PretrainedTiles(**tiles(), weights=other).digest,
        PretrainedTiles(**tiles(kinds=("free", "fray")), weights=WEIGHTS).digest,
    }
    assert len(digests) == 3
    assert PretrainedTiles(**tiles(), weights=dict(WEIGHTS)).digest in digests


def test_drawn_tiles_stand_in_for_the_real_ones():
    found = simulated("pretrained_tiles")
    assert found.simulated
    assert not getattr(found, "weights", {})


@pytest.mark.skipif(not available("pretrained_tiles"), reason="needs the real tiles and weights")
def test_the_real_set_holds_both():
    found = load("pretrained_tiles", side=16, free=3)
    assert found.images.shape == (395, 16, 16)
    assert found.weights["classifier.1.weight"].shape == (1000, 1280)
