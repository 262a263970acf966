"""Three materials in one set, with one digest; drawn ones stand in for real ones."""

import importlib

import numpy as np
import pytest

from neurons.data import DataError, available, load, registry, simulated
from neurons.data.simulated_cells import simulated_cells
from neurons.data.simulated_defects import simulated_defects
from neurons.data.surfaces import Surfaces, simulated_surfaces, surfaces

module = importlib.import_module("neurons.data.surfaces")  # the function has the module's name
WEIGHTS = {"a": np.ones((2, 3), np.float32)}


def small(**changed):
    given = {
        "tiles": simulated_defects(1, images=6, side=16),
        "cells": simulated_cells(2, images=12, side=16),
        "drawn": simulated_defects(3, images=6, side=16),
        "weights": WEIGHTS,
    }
    return Surfaces(**given | changed)


@pytest.fixture
def readers(monkeypatch):
    """What the readers of the two real sets and of the weights were asked for."""
    asked = {}

    def tiles(folder, *, side, free):
        asked["tiles"] = (folder, side, free)
        return small().tiles

    def cells(folder, *, side):
        asked["cells"] = (folder, side)
        return small().cells

    monkeypatch.setattr(module, "magnetic_tile", tiles)
    monkeypatch.setattr(module, "elpv", cells)
    monkeypatch.setattr(module, "pretrained", lambda name, folder: WEIGHTS)
    return asked


def test_the_reader_joins_what_other_readers_give(readers):
    found = surfaces("here", tile_side=32, cell_side=24, free=7)
    assert readers == {"tiles": ("here", 32, 7), "cells": ("here", 24)}
    assert found.weights == WEIGHTS
    assert found.drawn.images.shape == (module.DRAWN, module.DRAWN_SIDE, module.DRAWN_SIDE)
    assert found.drawn.simulated


def test_the_digest_knows_every_part():
    changes = [
        {},
        {"tiles": simulated_defects(9, images=6, side=16)},
        {"cells": simulated_cells(9, images=12, side=16)},
        {"drawn": simulated_defects(9, images=6, side=16)},
        {"weights": {"a": np.zeros((2, 3), np.float32)}},
        {"weights": {}},
    ]
    digests = [small(**changed).digest for changed in changes]
    assert len(set(digests)) == len(digests)
    assert small().digest == digests[0]


def test_the_text_names_all_three_and_says_what_is_drawn():
    text = str(small())
    assert text.startswith("surfaces: ")
    assert text.count("(simulated)") == 3
    assert "12 cells of 16x16" in text


def test_drawn_surfaces_share_one_shape_and_have_no_weights():
    found = simulated("surfaces", seed=4)
    assert found.simulated
    assert found.weights == {}
    shapes = {part.images.shape for part in (found.tiles, found.cells, found.drawn)}
    assert shapes == {(module.SIMULATED, module.DRAWN_SIDE, module.DRAWN_SIDE)}
    again, other = (simulated_surfaces(seed, images=12, side=16).digest for seed in (4, 5))
    assert simulated_surfaces(4, images=12, side=16).digest == again != other


def test_without_the_package_of_the_cells_the_set_is_not_there(monkeypatch):
    monkeypatch.setattr(registry, "verify", lambda name, folder: ())
    monkeypatch.setitem(registry.PACKAGES, "surfaces", "numpy")
    assert available("surfaces")
    monkeypatch.setitem(registry.PACKAGES, "surfaces", "no_such_package_at_all")
    assert not available("surfaces")


@pytest.mark.parametrize("part", ["magnetic_tile", "elpv"])
def test_a_damaged_picture_comes_through_as_an_error(readers, monkeypatch, part):
    def broken(*_, **__):
        raise DataError("exp1.jpg", "a JPEG or PNG picture", "noise", "delete it")

    monkeypatch.setattr(module, part, broken)
    with pytest.raises(DataError, match=r"exp1\.jpg: expected a JPEG"):
        surfaces("here")


def test_drawn_cells_are_graded_and_of_both_kinds():
    found = simulated_cells(1, images=120, side=24)
    assert set(found.probability) == {0.0, 1 / 3, 2 / 3, 1.0}
    assert found.defective.sum() == 60
    for kind in ("mono", "poly"):
        of_kind = np.array(found.kinds) == kind
        assert of_kind.sum() == 60
        assert found.defective[of_kind].sum() == 30
    corners = found.images[:, 0, 0] == 0
    np.testing.assert_array_equal(corners, np.array(found.kinds) == "mono")


def test_drawn_cells_follow_the_seed_and_ask_for_enough():
    same, other = simulated_cells(1, images=12, side=16), simulated_cells(2, images=12, side=16)
    assert simulated_cells(1, images=12, side=16).digest == same.digest != other.digest
    with pytest.raises(ValueError, match="at least 12 cells, got 11"):
        simulated_cells(images=11)


@pytest.mark.skipif(not available("surfaces"), reason="needs real tiles, cells and weights")
def test_the_real_set_holds_all_three():
    found = load("surfaces", tile_side=16, cell_side=8, free=3)
    assert found.tiles.images.shape == (395, 16, 16)
    assert found.cells.images.shape == (2624, 8, 8)
    assert found.weights["classifier.1.weight"].shape == (1000, 1280)
    assert not found.simulated
